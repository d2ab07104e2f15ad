{{/* The same by KEDA, which asks Prometheus itself and needs no adapter. */}}
{{- define "cartwright-service.keda" -}}
{{- if and (include "cartwright-service.scaled" .) .Values.keda.enabled }}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "keda.sh/v1alpha1/ScaledObject" "switch" "keda.enabled" "what" "KEDA") }}
{{- $keda := .Values.keda }}
{{- include "cartwright-service.bounds" $keda }}
{{- if not (or $keda.cpu.enabled $keda.memory.enabled $keda.requests.enabled $keda.extraTriggers) }}
{{- fail "keda.enabled: switch at least one of cpu, memory and requests on" }}
{{- end }}
{{- /* KEDA refuses a fallback where no trigger can fail. */}}
{{- $fallback := and $keda.requests.enabled $keda.fallback }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "cartwright-service.fullname" . }}
  minReplicaCount: {{ $keda.minReplicas }}
  maxReplicaCount: {{ $keda.maxReplicas }}
  pollingInterval: {{ $keda.pollingInterval }}
  {{- with $fallback }}
  fallback:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml $keda.behavior | nindent 8 }}
  triggers:
    {{- if $keda.requests.enabled }}
    - type: prometheus
      name: requests
      metricType: AverageValue
      metadata:
        serverAddress: {{ required "keda.requests.prometheus: the address of Prometheus is needed" $keda.requests.prometheus | quote }}
        threshold: {{ $keda.requests.averageValue | quote }}
        query: |-
          {{- include "cartwright-service.requestRate" (dict "selector" (include "cartwright-service.series" .)) | nindent 10 }}
      {{- with $keda.requests.authenticationRef }}
      authenticationRef:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- if $keda.cpu.enabled }}
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ $keda.cpu.averageUtilization | quote }}
    {{- end }}
    {{- if $keda.memory.enabled }}
    - type: memory
      metricType: Utilization
      metadata:
        value: {{ $keda.memory.averageUtilization | quote }}
    {{- end }}
    {{- with $keda.extraTriggers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
