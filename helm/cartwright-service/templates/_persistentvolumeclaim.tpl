{{- /* The books of the simulator. */ -}}

{{- define "cartwright-service.persistentvolumeclaim" -}}
{{- with .Values.persistence }}
{{- if and .enabled (not .existingClaim) }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "cartwright-service.fullname" $ }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" $ | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list $ dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  accessModes: ["ReadWriteOnce"]
  {{- with .storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end }}
{{- end }}
{{- end -}}
