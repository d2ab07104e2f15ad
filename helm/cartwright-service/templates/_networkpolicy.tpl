{{/*
Who may reach the pods, and whom they may reach; everything else is closed, both ways. What
they reach is read from their settings, so that neither changes without the other.
*/}}
{{- define "cartwright-service.networkPolicy" -}}
{{- if .Values.networkPolicy.enabled }}
{{- $settings := include "cartwright-service.settings" . | fromYaml }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "cartwright-service.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- include "cartwright-service.waysIn" (dict "context" . "settings" $settings) | trim | nindent 4 }}
  egress:
    {{- include "cartwright-service.waysOut" (dict "context" . "settings" $settings) | trim | nindent 4 }}
{{- with include "cartwright-service.sidePolicies" (dict "context" . "settings" $settings) }}
---
{{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Rules of ingress. */}}
{{- define "cartwright-service.waysIn" -}}
{{- $policy := .context.Values.networkPolicy }}
{{- $ports := include "cartwright-service.ports" .context | fromYaml }}
{{- $api := list $ports.http }}
{{- with $ports.grpc }}{{ $api = prepend $api . }}{{ end }}
{{- $rules := list (dict "what" "Prometheus" "from" $policy.monitoring "ports" (list $ports.private)) }}
{{- with $policy.callers }}
{{- $rules = append $rules (dict "what" "Services of the shop" "from" . "ports" (list ($ports.grpc | default $ports.http))) }}
{{- end }}
{{- $entered := list }}
{{- range $kind, $way := .context.Values.ingress }}
{{- if $way.enabled }}{{ $entered = append $entered (get $ports (eq $kind "grpc" | ternary "grpc" "http")) }}{{ end }}
{{- end }}
{{- with $entered | uniq }}
{{- $rules = append $rules (dict "what" "The ingress controller" "from" $policy.ingressController "ports" .) }}
{{- end }}
{{- $entered = list }}
{{- range $kind, $way := omit .context.Values.gateway "backendTls" }}
{{- if $way.enabled }}{{ $entered = append $entered (get $ports (eq $kind "grpc" | ternary "grpc" "http")) }}{{ end }}
{{- end }}
{{- with .context.Values.istio }}
{{- if and .enabled .gateways }}{{ $entered = concat $entered $api }}{{ end }}
{{- end }}
{{- with $entered | uniq }}
{{- $rules = append $rules (dict "what" "The gateway" "from" $policy.gateway "ports" .) }}
{{- end }}
{{- /* A simulator sends its webhooks from within. */}}
{{- $provider := dig "provider" "base_url" "" .settings }}
{{- if contains "payment-simulator" $provider }}
{{- $host := regexReplaceAll "^[a-z]+://([^:/]+).*$" $provider "${1}" }}
{{- $rules = append $rules (dict "what" "The provider's webhooks" "from" (include "cartwright-service.peersOf" (dict "context" .context "host" $host "public" false) | fromJsonArray) "ports" (list $ports.http)) }}
{{- end }}
{{- if (.context.Values.tests | default dict).enabled }}
{{- $tests := dict "podSelector" (dict "matchLabels" (include "cartwright-service.sideSelector" (list .context "test") | fromYaml)) }}
{{- $rules = append $rules (dict "what" "helm test" "from" (list $tests) "ports" (list ($ports.grpc | default $ports.http))) }}
{{- end }}
{{- with $policy.clients }}
{{- $rules = append $rules (dict "what" "Clients within the cluster" "from" . "ports" $api) }}
{{- end }}
{{- range $rules }}
{{- if not .from }}
{{- fail (printf "networkPolicy: nobody is named for: %s. An empty list would let everybody in" .what) }}
{{- end }}
# {{ .what }}
- from:
    {{- toYaml .from | nindent 4 }}
  ports:
    {{- range .ports }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}
{{- with $policy.extraIngress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Rules of egress. */}}
{{- define "cartwright-service.waysOut" -}}
{{- $context := .context }}
{{- $settings := .settings }}
{{- $policy := $context.Values.networkPolicy }}
{{- include "cartwright-service.dnsRule" $context }}
{{- range list
  (dict "key" "database" "what" "Postgres" "path" (list "database" "url"))
  (dict "key" "redis" "what" "Redis" "path" (list "redis" "url"))
  (dict "key" "inventory" "what" "inventory-service" "path" (list "inventory" "url"))
  (dict "key" "payment" "what" "payment-service" "path" (list "payment" "url"))
  (dict "key" "provider" "what" "The payment provider" "path" (list "provider" "base_url") "public" true)
  (dict "key" "webhooks" "what" "Whom webhooks are sent to" "path" (list "webhooks" "url"))
  (dict "key" "jwks" "what" "The issuer's public keys" "path" (list "auth" "jwks_url") "public" true)
  (dict "key" "otlp" "what" "The collector" "path" (list "telemetry" "otlp_endpoint"))
}}
{{- $way := get $policy.egress .key }}
{{- $url := dig (index .path 0) (index .path 1) "" $settings }}
{{- if eq .key "otlp" }}{{ $url = include "cartwright-service.otlpUrl" (list $context $settings) }}{{ end }}
{{- $hidden := hasKey (get $settings (index .path 0) | default dict) (printf "%s_file" (index .path 1)) }}
{{- if and $way (or $hidden $way.to (regexMatch "^[a-z]+://[^/]" $url)) }}
{{ include "cartwright-service.destination" (dict "context" $context "url" $url "way" $way "what" .what "key" .key "public" (.public | default false)) | trim }}
{{- end }}
{{- end }}
{{- if ($context.Values.istio | default dict).enabled }}
# The control plane of the mesh
- to:
    {{- toYaml $policy.istiod | nindent 4 }}
  ports:
    - protocol: TCP
      port: 15012
{{- end }}
{{- with $policy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.dnsRule" -}}
# Names, over TCP where an answer is long
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - protocol: UDP
      port: {{ . }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end -}}

{{/* Of a pod that is no replica: include "cartwright-service.sideSelector" (list . "test") */}}
{{- define "cartwright-service.sideSelector" -}}
app.kubernetes.io/name: {{ include "cartwright-service.name" (index . 0) }}-{{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{/* Where the collector is: what the settings say, else the variable of OpenTelemetry. */}}
{{- define "cartwright-service.otlpUrl" -}}
{{- $url := dig "telemetry" "otlp_endpoint" "" (index . 1) }}
{{- range (index . 0).Values.extraEnv }}
{{- if and (not $url) (regexMatch "^OTEL_EXPORTER_OTLP_([A-Z]+_)?ENDPOINT$" .name) }}{{ $url = .value | default "" }}{{ end }}
{{- end }}
{{- $url -}}
{{- end -}}

{{/* Policies of the pods beside: those of tests, and of a migration that runs as a hook. */}}
{{- define "cartwright-service.sidePolicies" -}}
{{- $context := .context }}
{{- $parts := list }}
{{- if ($context.Values.tests | default dict).enabled }}
{{- $rule := include "cartwright-service.toService" $context }}
{{- /* A test that orders puts demo items on the shelf. */}}
{{- if eq ($context.Values.tests.kind | default "") "order" }}
{{- $rule = printf "%s\n%s" $rule (include "cartwright-service.destination" (dict "context" $context "url" (dig "inventory" "url" "" .settings) "way" $context.Values.networkPolicy.egress.inventory "what" "inventory-service" "key" "inventory" "public" false) | trim) }}
{{- end }}
{{- $parts = append $parts (include "cartwright-service.sidePolicy" (dict "context" $context "side" "test" "rule" $rule)) }}
{{- end }}
{{- if eq (dig "mode" "" ($context.Values.migration | default dict)) "hook" }}
{{- $rule := include "cartwright-service.destination" (dict "context" $context "url" (dig "database" "url" "" .settings) "way" $context.Values.networkPolicy.egress.database "what" "Postgres" "key" "database" "public" false) | trim }}
{{- /* A migration tells what it did, and its secrets may have to be fetched. */}}
{{- $otlp := include "cartwright-service.otlpUrl" (list $context .settings) }}
{{- if or $otlp $context.Values.networkPolicy.egress.otlp.to }}
{{- $rule = printf "%s\n%s" $rule (include "cartwright-service.destination" (dict "context" $context "url" $otlp "way" $context.Values.networkPolicy.egress.otlp "what" "The collector" "key" "otlp" "public" false) | trim) }}
{{- end }}
{{- with $context.Values.networkPolicy.extraEgress }}
{{- $rule = printf "%s\n%s" $rule (toYaml .) }}
{{- end }}
{{- /* Before the Job, and before there is anything else. */}}
{{- $hook := dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-weight" "-20" "helm.sh/hook-delete-policy" "before-hook-creation" }}
{{- $parts = append $parts (include "cartwright-service.sidePolicy" (dict "context" $context "side" "migrate" "rule" $rule "annotations" $hook)) }}
{{- end }}
{{- join "\n---\n" $parts }}
{{- end -}}

{{- define "cartwright-service.toService" -}}
# The service
- to:
    - podSelector:
        matchLabels:
          {{- include "cartwright-service.selectorLabels" . | nindent 10 }}
  ports:
    {{- range $name, $port := omit (include "cartwright-service.ports" . | fromYaml) "private" }}
    - protocol: TCP
      port: {{ $port }}
    {{- end }}
{{- end -}}

{{- define "cartwright-service.sidePolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "cartwright-service.metadata" (dict "context" .context "name" (include "cartwright-service.nameOf" (dict "context" .context "suffix" .side)) "annotations" .annotations) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "cartwright-service.sideSelector" (list .context .side) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "cartwright-service.dnsRule" .context | nindent 4 }}
    {{- .rule | nindent 4 }}
{{- end -}}
