{{/* All of monitoring: what is scraped, what is told from it, and what is drawn. */}}
{{- define "cartwright-service.monitoring" -}}
{{- $parts := list }}
{{- if .Values.monitoring.serviceMonitor.enabled }}
{{- $parts = append $parts (include "cartwright-service.serviceMonitor" .) }}
{{- end }}
{{- if .Values.monitoring.prometheusRule.enabled }}
{{- $parts = append $parts (include "cartwright-service.prometheusRule" .) }}
{{- end }}
{{- if (.Values.monitoring.dashboards | default dict).enabled }}
{{- range $path, $content := .Files.Glob "files/dashboards/*.json" }}
{{- $parts = append $parts (include "cartwright-service.dashboard" (dict "context" $ "path" $path "content" $content)) }}
{{- end }}
{{- end }}
{{- join "\n---\n" $parts }}
{{- end -}}

{{- define "cartwright-service.metricsName" -}}
{{ include "cartwright-service.nameOf" (dict "context" . "suffix" "metrics") }}
{{- end -}}

{{/*
The labels by which Prometheus knows the series of this release, as JSON. Those that the
operator gives what our ServiceMonitor finds, unless values say otherwise.
*/}}
{{- define "cartwright-service.seriesLabels" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if $monitoring.seriesLabels -}}
{{ toJson $monitoring.seriesLabels }}
{{- else if $monitoring.serviceMonitor.enabled -}}
{{ dict "namespace" .Release.Namespace "job" .Chart.Name "service" (include "cartwright-service.metricsName" .) | toJson }}
{{- else -}}
{{- fail "rules and KEDA's query look for the labels that the operator gives to what our ServiceMonitor finds: set monitoring.serviceMonitor.enabled, or say in monitoring.seriesLabels how Prometheus labels the series of this release" -}}
{{- end -}}
{{- end -}}

{{/* The same as a selector, without its braces. */}}
{{- define "cartwright-service.series" -}}
{{- $matchers := list }}
{{- range $label, $value := include "cartwright-service.seriesLabels" . | fromJson }}
{{- $matchers = append $matchers (printf "%s=%q" $label $value) }}
{{- end }}
{{- join ", " $matchers }}
{{- end -}}

{{/*
The private port has a Service of its own, headless and only for Prometheus: those that are
called do not have it.
*/}}
{{- define "cartwright-service.serviceMonitor" -}}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "monitoring.coreos.com/v1/ServiceMonitor" "switch" "monitoring.serviceMonitor.enabled" "what" "the Prometheus operator") }}
{{- $monitor := .Values.monitoring.serviceMonitor }}
{{- $component := dict "app.kubernetes.io/component" "metrics" }}
apiVersion: v1
kind: Service
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.metricsName" .) "labels" $component) | nindent 2 }}
spec:
  clusterIP: None
  # A process that is not ready has the most to tell.
  publishNotReadyAddresses: true
  selector:
    {{- include "cartwright-service.selectorLabels" . | nindent 4 }}
  ports:
    - name: private
      port: {{ (include "cartwright-service.ports" . | fromYaml).private }}
      targetPort: private
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .) "labels" $monitor.labels) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "cartwright-service.selectorLabels" . | nindent 6 }}
      {{- toYaml $component | nindent 6 }}
  endpoints:
    - port: private
      path: /metrics
      interval: {{ $monitor.interval }}
      scrapeTimeout: {{ $monitor.scrapeTimeout }}
      relabelings:
        # Rules and dashboards tell services apart by it.
        - targetLabel: job
          replacement: {{ .Chart.Name }}
        {{- with $monitor.relabelings }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $monitor.metricRelabelings }}
      metricRelabelings:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* The sidecar of Grafana finds it by its label. */}}
{{- define "cartwright-service.dashboard" -}}
{{- $dashboards := .context.Values.monitoring.dashboards }}
{{- $suffix := printf "dashboard-%s" (base .path | trimSuffix ".json") }}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "cartwright-service.metadata" (dict "context" .context "name" (include "cartwright-service.nameOf" (dict "context" .context "suffix" $suffix)) "labels" $dashboards.labels "annotations" $dashboards.annotations) | nindent 2 }}
data:
  {{ printf "cartwright-%s" (base .path) }}: |
    {{- toString .content | trim | nindent 4 }}
{{- end -}}
