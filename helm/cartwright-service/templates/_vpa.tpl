{{/* Says what the pods would need, and changes nothing: `kubectl describe vpa`. */}}
{{- define "cartwright-service.vpa" -}}
{{- if .Values.vpa.enabled }}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "autoscaling.k8s.io/v1/VerticalPodAutoscaler" "switch" "vpa.enabled" "what" "the vertical pod autoscaler") }}
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "cartwright-service.fullname" . }}
  updatePolicy:
    updateMode: "Off"
  resourcePolicy:
    containerPolicies:
      - containerName: "*"
        controlledResources: [cpu, memory]
        {{- with .Values.vpa.minAllowed }}
        minAllowed:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- with .Values.vpa.maxAllowed }}
        maxAllowed:
          {{- toYaml . | nindent 10 }}
        {{- end }}
{{- end }}
{{- end -}}
