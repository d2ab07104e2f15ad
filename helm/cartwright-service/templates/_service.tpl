{{- /* One address for all replicas, and a headless Service that names each. */ -}}

{{- define "cartwright-service.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "cartwright-service.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . .Values.service.annotations) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "cartwright-service.selectorLabels" . | nindent 4 }}
  ports:
    {{- include "cartwright-service.service.ports" . | trim | nindent 4 }}
{{- end -}}

{{- define "cartwright-service.headlessName" -}}
{{- printf "%s-headless" (include "cartwright-service.fullname" .) -}}
{{- end -}}

{{- /* Names pods, so what a client asks for is the port of the pod. */ -}}
{{- define "cartwright-service.headless" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "cartwright-service.headlessName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
    cartwright.dev/headless: "true"
  {{- with include "cartwright-service.annotations" (list . dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  type: ClusterIP
  clusterIP: None
  selector:
    {{- include "cartwright-service.selectorLabels" . | nindent 4 }}
  ports:
    {{- include "cartwright-service.service.ports" . | trim | nindent 4 }}
{{- end -}}

{{- define "cartwright-service.service.ports" -}}
{{- $tls := (.Values.tls | default dict).enabled -}}
{{- with .Values.service.grpc }}
- name: grpc
  port: {{ .port }}
  targetPort: grpc
  protocol: TCP
  appProtocol: {{ .appProtocol | default (ternary "https" "grpc" (eq $tls true)) }}
{{- end }}
{{- with .Values.service.rest }}
- name: http
  port: {{ .port }}
  targetPort: http
  protocol: TCP
  appProtocol: {{ .appProtocol | default (ternary "https" "http" (eq $tls true)) }}
{{- end }}
{{- with .Values.service.api }}
- name: http
  port: {{ .port }}
  targetPort: http
  protocol: TCP
  appProtocol: {{ .appProtocol | default "http" }}
{{- end }}
{{- end -}}
