{{- /* Brings the schema up to date: as a container before the process, or as a Job before the
release, with all it needs, since nothing of the release is there yet. */ -}}

{{- define "cartwright-service.migration.container" -}}
name: migrate
image: {{ include "cartwright-service.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: ["migrate"]
env:
  {{- include "cartwright-service.env" . | nindent 2 }}
  - name: K8S_CONTAINER_NAME
    value: migrate
  {{- with include "cartwright-service.extraEnv" . }}
  {{- . | trim | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.migration.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  {{- include "cartwright-service.mounts" . | nindent 2 }}
{{- end -}}

{{- define "cartwright-service.migration" -}}
{{- if eq .Values.migration.mode "hook" }}
{{- $name := printf "%s-migrate" (include "cartwright-service.fullname" .) }}
{{- $labels := include "cartwright-service.sideLabels" (list . "migrate") }}
{{- $hook := dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" "helm.sh/hook-weight" "-10" }}
{{- $part := dict "root" . "name" $name "labels" $labels "annotations" $hook }}
{{- if and (eq .Values.secrets.mode "sealed") (eq .Values.secrets.sealed.scope "strict") }}
{{- fail "migration.mode is hook: its Secret has another name than that of the service, so secrets.sealed.scope cannot be strict" }}
{{- end }}
{{- if .Values.serviceAccount.create }}
{{ include "cartwright-service.serviceaccount.of" (merge (dict "annotations" (merge (dict) $hook .Values.serviceAccount.annotations)) $part) }}
---
{{- end }}
{{ include "cartwright-service.configmap.of" $part }}
---
{{- with include "cartwright-service.secret.of" $part }}
{{ . }}
---
{{- end }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . (merge (dict "helm.sh/hook-weight" "-5") $hook)) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  backoffLimit: {{ .Values.migration.backoffLimit }}
  activeDeadlineSeconds: {{ .Values.migration.activeDeadlineSeconds }}
  template:
    metadata:
      labels:
        {{- $labels | nindent 8 }}
      {{- $annotations := merge (dict) .Values.podAnnotations }}
      {{- if eq .Values.secrets.mode "vault" }}
      {{- /* An agent beside it would keep the Job from ever ending. */ -}}
      {{- $annotations = merge (dict "vault.hashicorp.com/agent-pre-populate-only" "true") (include "cartwright-service.secrets.vault" . | fromYaml) $annotations }}
      {{- end }}
      {{- with include "cartwright-service.annotations" (list . $annotations) }}
      {{- . | trim | nindent 6 }}
      {{- end }}
    spec:
      {{- with include "cartwright-service.imagePullSecrets" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      serviceAccountName: {{ ternary $name (include "cartwright-service.serviceAccountName" .) .Values.serviceAccount.create }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      restartPolicy: Never
      securityContext:
        {{- toYaml .Values.podSecurityContext | nindent 8 }}
      {{- if or .Values.extraInitContainers (include "cartwright-service.developer" .) }}
      initContainers:
        {{- with .Values.extraInitContainers }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
        {{- if include "cartwright-service.developer" . }}
        - {{ include "cartwright-service.developer.container" . | nindent 10 | trim }}
        {{- end }}
      {{- end }}
      containers:
        - {{ include "cartwright-service.migration.container" . | nindent 10 | trim }}
      volumes:
        {{- $secret := ternary (include "cartwright-service.secretName" .) $name (eq .Values.secrets.mode "existing") }}
        {{- include "cartwright-service.volumes" (dict "root" . "config" $name "secret" $secret) | nindent 8 }}
      {{- with include "cartwright-service.scheduling" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
{{- end }}
{{- end -}}
