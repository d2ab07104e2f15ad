{{- /* Who pods are. No process of ours asks the cluster anything: no token is mounted. */ -}}

{{- define "cartwright-service.serviceaccount" -}}
{{- if .Values.serviceAccount.create }}
{{- include "cartwright-service.serviceaccount.of" (dict "root" . "name" (include "cartwright-service.serviceAccountName" .) "labels" (include "cartwright-service.labels" .) "annotations" .Values.serviceAccount.annotations) }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.serviceaccount.of" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- .labels | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list .root .annotations) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}

{{- define "cartwright-service.role" -}}
{{- if .Values.rbac.create }}
{{- if not .Values.rbac.rules }}
{{- fail "rbac.rules is needed (rbac.create is true)" }}
{{- end }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "cartwright-service.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
rules:
  {{- toYaml .Values.rbac.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "cartwright-service.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "cartwright-service.fullname" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "cartwright-service.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
{{- end -}}
