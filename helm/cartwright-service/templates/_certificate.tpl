{{- /* Who the service is to its peers: the first name is how they know it. */ -}}

{{- define "cartwright-service.tls.secretName" -}}
{{- if .Values.tls.secretName -}}
{{- tpl .Values.tls.secretName . -}}
{{- else if .Values.tls.certificate.enabled -}}
{{- printf "%s-tls" (include "cartwright-service.fullname" .) -}}
{{- else -}}
{{- fail "tls.secretName is needed, or tls.certificate.enabled (tls.enabled is true)" -}}
{{- end -}}
{{- end -}}

{{- define "cartwright-service.certificate" -}}
{{- if and .Values.tls.enabled .Values.tls.certificate.enabled }}
{{- $names := list .Chart.Name }}
{{- range list (include "cartwright-service.fullname" .) (include "cartwright-service.headlessName" .) }}
{{- $names = concat $names (list . (printf "%s.%s" . $.Release.Namespace) (printf "%s.%s.svc" . $.Release.Namespace) (printf "%s.%s.svc.cluster.local" . $.Release.Namespace)) }}
{{- end }}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ include "cartwright-service.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  secretName: {{ include "cartwright-service.tls.secretName" . }}
  duration: {{ .Values.tls.certificate.duration }}
  renewBefore: {{ .Values.tls.certificate.renewBefore }}
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  usages:
    - digital signature
    - server auth
    - client auth
  dnsNames:
    {{- range concat $names .Values.tls.certificate.extraDnsNames | uniq }}
    - {{ . }}
    {{- end }}
  issuerRef:
    group: cert-manager.io
    kind: {{ .Values.tls.certificate.issuerRef.kind }}
    name: {{ .Values.tls.certificate.issuerRef.name }}
{{- end }}
{{- end -}}
