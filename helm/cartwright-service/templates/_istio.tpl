{{/*
How a mesh of Istio routes to this release. A canary is a second release of the same chart
with `istio.enabled: false`, since Helm then upgrades and rolls back each by itself; this
one sends it its share.
*/}}
{{- define "cartwright-service.istio" -}}
{{- if .Values.istio.enabled }}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "networking.istio.io/v1/VirtualService" "switch" "istio.enabled" "what" "Istio (1.22 or newer)") }}
{{- if include "cartwright-service.servesTls" . }}
{{- fail "istio.enabled and tls.enabled: the mesh cannot route what the services encrypt by themselves; set tls.enabled=false and let the mesh encrypt" }}
{{- end }}
{{- $istio := .Values.istio }}
{{- $own := include "cartwright-service.meshHost" (dict "context" . "service" (include "cartwright-service.fullname" .)) }}
{{- $canary := "" }}
{{- if $istio.canary.enabled }}
{{- $canary = include "cartwright-service.meshHost" (dict "context" . "service" (required "istio.canary.enabled: istio.canary.service must name the Service of the other release" $istio.canary.service)) }}
{{- if eq $canary $own }}
{{- fail "istio.canary.service is this release's own Service: it names that of another release" }}
{{- end }}
{{- end }}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  hosts:
    - {{ $own }}
    - {{ include "cartwright-service.meshHost" (dict "context" . "service" (printf "%s-headless" (include "cartwright-service.fullname" .))) }}
    {{- with $istio.hosts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  gateways:
    - mesh
    {{- with $istio.gateways }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  http:
    {{- range $kind := list "grpc" "rest" }}
    {{- $matches := include "cartwright-service.meshMatches" (dict "context" $ "kind" $kind) | fromJsonArray }}
    {{- $port := include "cartwright-service.servicePort" (dict "context" $ "kind" $kind) | int }}
    {{- if $canary }}
    - name: {{ $kind }}-canary
      match:
        {{- $headers := dict $istio.canary.header.name (dict "exact" $istio.canary.header.value) }}
        {{- range $matches }}
        - {{- toYaml (merge (dict "headers" $headers) .) | nindent 10 }}
        {{- end }}
      route:
        - destination:
            host: {{ $canary }}
            port:
              number: {{ $port }}
      {{- include "cartwright-service.meshCall" $istio | nindent 6 }}
    {{- end }}
    - name: {{ $kind }}
      match:
        {{- toYaml $matches | nindent 8 }}
      route:
        - destination:
            host: {{ $own }}
            port:
              number: {{ $port }}
          {{- if $canary }}
          weight: {{ sub 100 $istio.canary.weight }}
        - destination:
            host: {{ $canary }}
            port:
              number: {{ $port }}
          weight: {{ $istio.canary.weight }}
          {{- end }}
      {{- include "cartwright-service.meshCall" $istio | nindent 6 }}
    {{- end }}
---
{{ include "cartwright-service.destinationRule" (dict "context" . "name" (include "cartwright-service.fullname" .) "host" $own) }}
{{- if $canary }}
---
{{ include "cartwright-service.destinationRule" (dict "context" . "name" (include "cartwright-service.nameOf" (dict "context" . "suffix" "canary")) "host" $canary) }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
By path, which tells gRPC and REST apart wherever a call comes from. From outside only what
is public may come; in the mesh everything goes on, and each service asks who calls.
(dict "context" $ "kind" "grpc")
*/}}
{{- define "cartwright-service.meshMatches" -}}
{{- $found := list }}
{{- $public := .context.Values.public }}
{{- $outside := .context.Values.istio.gateways }}
{{- $mesh := list "mesh" }}
{{- if eq .kind "grpc" }}
{{- range empty $outside | ternary (list) $public.services }}
{{- $found = append $found (dict "gateways" $outside "uri" (dict "prefix" (printf "/%s/" .))) }}
{{- end }}
{{- range list "/cartwright." "/grpc." }}
{{- $found = append $found (dict "gateways" $mesh "uri" (dict "prefix" .)) }}
{{- end }}
{{- else }}
{{- range empty $outside | ternary (list) $public.paths }}
{{- $found = append $found (dict "gateways" $outside "uri" (dict "prefix" .)) }}
{{- end }}
{{- range empty $outside | ternary (list) ($public.webhooks | default list) }}
{{- $found = append $found (dict "gateways" $outside "uri" (dict "exact" .)) }}
{{- end }}
{{- $found = append $found (dict "gateways" $mesh "uri" (dict "prefix" "/")) }}
{{- end }}
{{- toJson $found }}
{{- end -}}

{{- define "cartwright-service.meshCall" -}}
# What is tried again is decided by the caller, who has a key for it.
retries:
  attempts: {{ .retries }}
{{- with .timeout }}
timeout: {{ . }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.meshHost" -}}
{{- if contains "." .service }}{{ .service }}
{{- else }}{{ printf "%s.%s.svc.%s" .service .context.Release.Namespace .context.Values.istio.clusterDomain }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.destinationRule" -}}
{{- $istio := .context.Values.istio }}
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  {{- include "cartwright-service.metadata" (dict "context" .context "name" .name) | nindent 2 }}
spec:
  host: {{ .host }}
  trafficPolicy:
    loadBalancer:
      simple: LEAST_REQUEST
    connectionPool:
      {{- toYaml $istio.connectionPool | nindent 6 }}
    outlierDetection:
      {{- toYaml $istio.outlierDetection | nindent 6 }}
{{- end -}}
