{{- /* The replicas. */ -}}

{{- define "cartwright-service.deployment" -}}
{{- $ports := include "cartwright-service.ports" . | fromYaml -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "cartwright-service.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.labels" . | nindent 4 }}
  {{- with include "cartwright-service.annotations" (list . dict) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
spec:
  {{- if not (include "cartwright-service.scaled" .) }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  revisionHistoryLimit: {{ .Values.revisionHistoryLimit }}
  minReadySeconds: {{ .Values.minReadySeconds }}
  strategy:
    {{- if .Values.persistence }}
    # Two pods must not write one book.
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: {{ .Values.rollout.maxSurge }}
    {{- end }}
  selector:
    matchLabels:
      {{- include "cartwright-service.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "cartwright-service.podLabels" . | nindent 8 }}
      annotations:
        {{- include "cartwright-service.podAnnotations" . | nindent 8 }}
    spec:
      {{- with include "cartwright-service.imagePullSecrets" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      serviceAccountName: {{ include "cartwright-service.serviceAccountName" . }}
      automountServiceAccountToken: false
      # The variables of Services would look like settings.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ include "cartwright-service.grace" . }}
      securityContext:
        {{- toYaml .Values.podSecurityContext | nindent 8 }}
      {{- with include "cartwright-service.initContainers" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          image: {{ include "cartwright-service.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: ["serve"]
          env:
            {{- include "cartwright-service.env" . | nindent 12 }}
            - name: K8S_CONTAINER_NAME
              value: {{ .Chart.Name }}
            - name: K8S_DEPLOYMENT_NAME
              value: {{ include "cartwright-service.fullname" . }}
            {{- with include "cartwright-service.extraEnv" . }}
            {{- . | trim | nindent 12 }}
            {{- end }}
          ports:
            {{- range $name, $port := $ports }}
            - name: {{ $name }}
              containerPort: {{ int $port }}
              protocol: TCP
            {{- end }}
          {{- range $name, $path := dict "startupProbe" "startup" "readinessProbe" "ready" "livenessProbe" "live" }}
          {{ $name }}:
            httpGet:
              path: /health/{{ $path }}
              port: private
            {{- toYaml (get $.Values.probes (trimSuffix "Probe" $name)) | nindent 12 }}
          {{- end }}
          {{- if include "cartwright-service.sleeps" . }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ .Values.preStop.sleepSeconds }}
          {{- end }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          volumeMounts:
            {{- include "cartwright-service.mounts" . | nindent 12 }}
      volumes:
        {{- include "cartwright-service.volumes" (dict "root" . "config" (include "cartwright-service.fullname" .) "secret" (include "cartwright-service.secretName" .)) | nindent 8 }}
      {{- with include "cartwright-service.scheduling" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      {{- with include "cartwright-service.affinity" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      {{- with include "cartwright-service.topologySpread" . }}
      {{- . | trim | nindent 6 }}
      {{- end }}
{{- end -}}

{{- define "cartwright-service.podLabels" -}}
{{ include "cartwright-service.selectorLabels" . }}
app.kubernetes.io/version: {{ include "cartwright-service.version" . | quote }}
app.kubernetes.io/part-of: cartwright
{{- with merge (dict) .Values.podLabels .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* A change of what the process reads only at its start makes new pods. */ -}}
{{- define "cartwright-service.podAnnotations" -}}
kubectl.kubernetes.io/default-container: {{ .Chart.Name }}
checksum/settings: {{ include "cartwright-service.settings.checksum" . }}
{{- if eq .Values.secrets.mode "create" }}
checksum/secrets: {{ include "cartwright-service.secrets.checksum" . }}
{{- end }}
{{- if eq .Values.secrets.mode "vault" }}
{{ include "cartwright-service.secrets.vault" . }}
{{- end }}
{{- with merge (dict) .Values.podAnnotations .Values.commonAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.initContainers" -}}
{{- $migrates := eq (.Values.migration | default dict).mode "initContainer" -}}
{{- $developer := include "cartwright-service.developer" . -}}
{{- if or .Values.extraInitContainers $migrates $developer }}
initContainers:
  {{- with .Values.extraInitContainers }}
  {{- tpl (toYaml .) $ | nindent 2 }}
  {{- end }}
  {{- if $developer }}
  - {{ include "cartwright-service.developer.container" . | nindent 4 | trim }}
  {{- end }}
  {{- if $migrates }}
  - {{ include "cartwright-service.migration.container" . | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* From SIGTERM on: until balancers know, the drain, clean-up and the last of telemetry. */ -}}
{{- define "cartwright-service.grace" -}}
{{- $settings := include "cartwright-service.settings" . | fromYaml -}}
{{- $removal := dig "drain" "endpoint_removal_ms" 0 $settings | int -}}
{{- $drain := dig "drain" "deadline_ms" 10000 $settings | int -}}
{{- $sleep := ternary (int .Values.preStop.sleepSeconds) 0 (ne (include "cartwright-service.sleeps" .) "") -}}
{{- $needed := add $sleep (div (add $removal $drain 999) 1000) 6 | int -}}
{{- with .Values.terminationGracePeriodSeconds -}}
{{- if lt (int .) $needed -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, but the drain may take %d (preStop.sleepSeconds, settings.drain and 6 s for clean-up and telemetry)" (int .) $needed) -}}
{{- end -}}
{{- int . -}}
{{- else -}}
{{- max $needed 30 -}}
{{- end -}}
{{- end -}}
