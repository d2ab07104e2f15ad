{{- /* What the values of the services refer to in a trial. Elsewhere a value that was left as it
is ends the installation, by its name: include "cartwright.trial" (list . "KEY" "WHAT"). */ -}}

{{- define "cartwright.trial" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $what := index . 2 -}}
{{- if not $root.Values.global.trial -}}
{{- fail (printf "%s is needed; see values-production.yaml, or set global.trial=true for a shop to try, with stores and secrets of its own" $key) -}}
{{- end -}}
{{- if eq $what "provider" -}}
http://{{ include "cartwright-service.sibling" (list $root "payment-simulator") }}:8090
{{- else if eq $what "secret" -}}
{{- include "cartwright.secretName" $root -}}
{{- else -}}
{{- include "cartwright.nameOf" (list $root $what) -}}
{{- end -}}
{{- end -}}

{{- define "cartwright.nameOf" -}}
{{- include "cartwright-service.sibling" . -}}
{{- end -}}

{{- /* The values of the umbrella are not those of the charts below it: only `global` is. */ -}}
{{- define "cartwright.secretName" -}}
{{- .Values.global.trialSecret | default (include "cartwright.nameOf" (list . "trial")) -}}
{{- end -}}

{{- define "cartwright.labels" -}}
{{ include "cartwright.selectorLabels" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/part-of: cartwright
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "cartwright.selectorLabels" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}
