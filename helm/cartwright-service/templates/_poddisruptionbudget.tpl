{{/* How many replicas a drain of nodes may take at once. */}}
{{- define "cartwright-service.podDisruptionBudget" -}}
{{- $budget := .Values.podDisruptionBudget }}
{{- if $budget.enabled }}
{{- $min := kindIs "invalid" $budget.minAvailable | ternary "" (toString $budget.minAvailable) }}
{{- $max := kindIs "invalid" $budget.maxUnavailable | ternary "" (toString $budget.maxUnavailable) }}
{{- if not (or $min $max) }}
{{- fail "podDisruptionBudget.enabled: set minAvailable or maxUnavailable" }}
{{- end }}
{{- if or (eq $min "100%") (and (not $min) (has $max (list "0" "0%"))) }}
{{- fail "podDisruptionBudget: this budget never lets a pod go, and a node could not be drained" }}
{{- end }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  {{- if $min }}
  minAvailable: {{ $budget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $budget.maxUnavailable }}
  {{- end }}
  # A pod that is not ready keeps nobody from draining its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "cartwright-service.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end -}}
