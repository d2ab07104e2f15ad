{{- /* The books of the simulator. They stay when the release goes, as the database does that they are
compared with. */ -}}

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
  {{- with include "cartwright-service.annotations" (list $ (dict "helm.sh/resource-policy" "keep")) }}
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
