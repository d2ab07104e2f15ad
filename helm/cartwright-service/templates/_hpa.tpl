{{/* Not empty where something other than the Deployment says how many replicas there are. */}}
{{- define "cartwright-service.scaled" -}}
{{- $hpa := (.Values.autoscaling | default dict).enabled -}}
{{- $keda := (.Values.keda | default dict).enabled -}}
{{- if and $hpa $keda -}}
{{- fail "autoscaling.enabled and keda.enabled: both would set the number of replicas, and fight over it; choose one" -}}
{{- end -}}
{{- if or $hpa $keda -}}true{{- end -}}
{{- end -}}

{{/* Bounds that make no sense are found here, not by a Deployment that does not scale. */}}
{{- define "cartwright-service.bounds" -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "minReplicas is %d and maxReplicas %d: the first must not be above the second" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}

{{/* By CPU, memory and requests. */}}
{{- define "cartwright-service.hpa" -}}
{{- if and (include "cartwright-service.scaled" .) .Values.autoscaling.enabled }}
{{- $scaling := .Values.autoscaling }}
{{- include "cartwright-service.bounds" $scaling }}
{{- if not (or $scaling.cpu.enabled $scaling.memory.enabled $scaling.requests.enabled) }}
{{- fail "autoscaling.enabled: switch at least one of cpu, memory and requests on" }}
{{- end }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "cartwright-service.fullname" . }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    {{- if $scaling.cpu.enabled }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $scaling.cpu.averageUtilization }}
    {{- end }}
    {{- if $scaling.memory.enabled }}
    - type: Resource
      resource:
        name: memory
        target:
          type: Utilization
          averageUtilization: {{ $scaling.memory.averageUtilization }}
    {{- end }}
    {{- if $scaling.requests.enabled }}
    - type: Pods
      pods:
        metric:
          name: {{ $scaling.requests.metric }}
        target:
          type: AverageValue
          averageValue: {{ $scaling.requests.averageValue | quote }}
    {{- end }}
  behavior:
    {{- toYaml $scaling.behavior | nindent 4 }}
{{- if and $scaling.requests.enabled $scaling.requests.adapterRule }}
---
{{ include "cartwright-service.adapterRule" . }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Requests a second that Prometheus has seen. Calls over gRPC, gRPC-Web and REST pass one gate,
which counts them all; the provider's webhooks do not pass it.
(dict "selector" "…" "by" "…")
*/}}
{{- define "cartwright-service.requestRate" -}}
sum{{ with .by }} by ({{ . }}){{ end }} (
  rate(rpc_server_duration_seconds_count{ {{- .selector -}} }[2m])
  or rate(http_requests_total{ {{- .selector }}, http_route=~"/webhooks/.*"}[2m])
)
{{- end -}}

{{/*
What makes the metric `requests.metric` exist: a rule for the prometheus-adapter. It reads
its rules from one file, so this is a piece for it, and nothing by itself.
*/}}
{{- define "cartwright-service.adapterRule" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.nameOf" (dict "context" . "suffix" "adapter-rule"))) | nindent 2 }}
data:
  # Add this to `rules.custom` of the chart prometheus-adapter. One is enough for all
  # releases of the shop: the adapter asks for the pods of each by their namespace and name.
  rules.yaml: |
    - seriesQuery: rpc_server_duration_seconds_count{namespace!="",pod!=""}
      resources:
        overrides:
          namespace: {resource: namespace}
          pod: {resource: pod}
      name:
        as: {{ .Values.autoscaling.requests.metric }}
      metricsQuery: |-
        {{- include "cartwright-service.requestRate" (dict "selector" "<<.LabelMatchers>>" "by" "<<.GroupBy>>") | nindent 8 }}
{{- end -}}
