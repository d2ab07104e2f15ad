{{/*
Fails where the cluster has no such API, and says what to do. Without a cluster, as in
`helm template`, nothing is known of its APIs, and the values are believed: a cluster
lists kinds, which Helm's own list does not.

(dict "context" $ "api" "keda.sh/v1alpha1/ScaledObject" "switch" "keda.enabled" "what" "KEDA")
*/}}
{{- define "cartwright-service.requireApi" -}}
{{- $apis := .context.Capabilities.APIVersions -}}
{{- if and ($apis.Has "v1/Pod") (not ($apis.Has .api)) -}}
{{- fail (printf "%s is set, but this cluster does not know %s: install %s first, or leave %s off" .switch .api .what .switch) -}}
{{- end -}}
{{- end -}}

{{/* Metadata of everything here: (dict "context" $ "name" "…" "labels" (dict) "annotations" (dict)) */}}
{{- define "cartwright-service.metadata" -}}
name: {{ .name }}
namespace: {{ .context.Release.Namespace }}
labels:
  {{- include "cartwright-service.labels" .context | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with include "cartwright-service.annotations" (list .context .annotations) }}
{{ . }}
{{- end }}
{{- end -}}

{{/* (dict "context" $ "suffix" "rest") */}}
{{- define "cartwright-service.nameOf" -}}
{{- printf "%s-%s" (include "cartwright-service.fullname" .context) .suffix -}}
{{- end -}}
