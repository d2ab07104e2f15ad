{{- /* What things are called. The name of a release is in all names, so that two releases
never meet; what would be too long ends in a hash of it. */ -}}

{{- define "cartwright-service.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* 50 characters leave room for `-headless` and its like. */ -}}
{{- define "cartwright-service.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- include "cartwright-service.short" .Values.fullnameOverride -}}
{{- else -}}
{{- include "cartwright-service.joined" (list .Release.Name (include "cartwright-service.name" .)) -}}
{{- end -}}
{{- end -}}

{{- /* The name of another chart of the same release, as far as nothing overrides it:
include "cartwright-service.sibling" (list . "inventory-service"). */ -}}
{{- define "cartwright-service.sibling" -}}
{{- include "cartwright-service.joined" (list (index . 0).Release.Name (index . 1)) -}}
{{- end -}}

{{- /* A release that is named as its chart is not named twice. */ -}}
{{- define "cartwright-service.joined" -}}
{{- $release := index . 0 -}}
{{- $name := index . 1 -}}
{{- if eq $release $name -}}
{{- include "cartwright-service.short" $name -}}
{{- else -}}
{{- include "cartwright-service.short" (printf "%s-%s" $release $name) -}}
{{- end -}}
{{- end -}}

{{- define "cartwright-service.short" -}}
{{- if gt (len .) 50 -}}
{{- printf "%s-%s" (. | trunc 41 | trimSuffix "-") (sha256sum . | trunc 8) -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- define "cartwright-service.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "cartwright-service.version" -}}
{{- default .Chart.AppVersion .Values.image.tag | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- /* Of everything. */ -}}
{{- define "cartwright-service.labels" -}}
{{ include "cartwright-service.selectorLabels" . }}
app.kubernetes.io/version: {{ include "cartwright-service.version" . | quote }}
app.kubernetes.io/part-of: cartwright
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "cartwright-service.chart" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* These never change: a Deployment cannot change them. */ -}}
{{- define "cartwright-service.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cartwright-service.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Of pods that are no replica of the service, so that it does not select them:
include "cartwright-service.sideLabels" (list . "migrate"). */ -}}
{{- define "cartwright-service.sideLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "cartwright-service.name" $root }}-{{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ include "cartwright-service.version" $root | quote }}
app.kubernetes.io/part-of: cartwright
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ include "cartwright-service.chart" $root }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The line `annotations:` with those of everything and more of them, or nothing:
include "cartwright-service.annotations" (list . (dict "a" "b")). */ -}}
{{- define "cartwright-service.annotations" -}}
{{- $all := merge (dict) (index . 1 | default dict) ((index . 0).Values.commonAnnotations | default dict) -}}
{{- if $all -}}
annotations:
  {{- toYaml $all | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* include "cartwright-service.imageOf" (list . .Values.image) */ -}}
{{- define "cartwright-service.imageOf" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $global := $root.Values.global | default dict -}}
{{- $registry := default $image.registry $global.imageRegistry -}}
{{- $name := $image.repository -}}
{{- if $registry -}}
{{- $name = printf "%s/%s" $registry $name -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default (default $root.Chart.AppVersion ($root.Values.image | default dict).tag) $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "cartwright-service.image" -}}
{{- include "cartwright-service.imageOf" (list . .Values.image) -}}
{{- end -}}

{{- define "cartwright-service.imagePullSecrets" -}}
{{- $global := .Values.global | default dict -}}
{{- with concat (.Values.imagePullSecrets | default list) ($global.imagePullSecrets | default list) -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "cartwright-service.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cartwright-service.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}
