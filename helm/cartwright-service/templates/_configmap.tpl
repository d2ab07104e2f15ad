{{- /* The settings file. Mounted as a directory, so that a change of it reaches the process. */ -}}

{{- define "cartwright-service.configmap" -}}
{{- include "cartwright-service.configmap.of" (dict "root" . "name" (include "cartwright-service.fullname" .) "labels" (include "cartwright-service.labels" .) "annotations" dict) -}}
{{- end -}}

{{- define "cartwright-service.configmap.of" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- .labels | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list .root .annotations) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
data:
  settings.yaml: |
    {{- include "cartwright-service.settings" .root | nindent 4 }}
{{- end -}}
