{{/*
The ways in from outside by Ingress: one for REST, one for gRPC, since nginx speaks to the
pods of one Ingress in one protocol; and one for the provider's webhooks, which come from
other addresses and at other times than customers.
*/}}
{{- define "cartwright-service.ingress" -}}
{{- $parts := list }}
{{- range $kind, $ingress := .Values.ingress }}
{{- if $ingress.enabled }}
{{- $parts = append $parts (include "cartwright-service.oneIngress" (dict "context" $ "kind" $kind "ingress" $ingress)) }}
{{- end }}
{{- end }}
{{- join "\n---\n" $parts }}
{{- end -}}

{{- define "cartwright-service.oneIngress" -}}
{{- $ingress := .ingress }}
{{- $where := printf "ingress.%s" .kind }}
{{- $name := include "cartwright-service.nameOf" (dict "context" .context "suffix" .kind) }}
{{- $hosts := $ingress.hosts }}
{{- if not $hosts }}
{{- fail (printf "%s.enabled: %s.hosts is empty, so every host would be taken" $where $where) }}
{{- end }}
{{- $paths := include "cartwright-service.publicPaths" . | fromJsonArray }}
{{- if not $paths }}
{{- fail (printf "%s.enabled: nothing is public; see `public`" $where) }}
{{- end }}
{{- if and (eq .kind "grpc") (not $ingress.tls.enabled) }}
{{- fail "ingress.grpc.tls.enabled: without TLS there is no HTTP/2 at the ingress, and no gRPC" }}
{{- end }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- $annotations := merge (dict) ($ingress.annotations | default dict) (include "cartwright-service.ingressAnnotations" . | fromYaml) }}
  {{- include "cartwright-service.metadata" (dict "context" .context "name" $name "annotations" $annotations) | nindent 2 }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if $ingress.tls.enabled }}
  tls:
    - secretName: {{ $ingress.tls.secretName | default (printf "%s-tls" $name) }}
      hosts:
        {{- toYaml $hosts | nindent 8 }}
  {{- end }}
  rules:
    {{- range $hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          {{- range $paths }}
          - path: {{ . }}
            pathType: {{ eq $.kind "webhook" | ternary "Exact" "Prefix" }}
            backend:
              service:
                name: {{ include "cartwright-service.fullname" $.context }}
                port:
                  number: {{ include "cartwright-service.servicePort" $ }}
          {{- end }}
    {{- end }}
{{- end -}}

{{/* What of a kind is public, as JSON: a gRPC service is a folder of its methods. */}}
{{- define "cartwright-service.publicPaths" -}}
{{- $public := .context.Values.public }}
{{- $paths := $public.paths }}
{{- if eq .kind "grpc" }}
{{- $paths = list }}
{{- range $public.services }}
{{- $paths = append $paths (printf "/%s" .) }}
{{- end }}
{{- else if eq .kind "webhook" }}
{{- $paths = $public.webhooks }}
{{- end }}
{{- toJson $paths }}
{{- end -}}

{{/* Annotations of ingress-nginx and cert-manager. Others do not mind them. */}}
{{- define "cartwright-service.ingressAnnotations" -}}
{{- $ingress := .ingress }}
{{- $nginx := "nginx.ingress.kubernetes.io" }}
{{- $protocol := eq .kind "grpc" | ternary "GRPC" "HTTP" }}
{{ $nginx }}/backend-protocol: {{ $protocol }}{{ if include "cartwright-service.servesTls" .context }}S{{ end }}
{{- if $ingress.tls.enabled }}
{{ $nginx }}/ssl-redirect: "true"
{{- with $ingress.tls.issuer }}
{{- if .name }}
cert-manager.io/{{ eq .kind "Issuer" | ternary "issuer" "cluster-issuer" }}: {{ .name }}
{{- end }}
{{- end }}
{{- end }}
{{- with $ingress.bodySize }}
{{ $nginx }}/proxy-body-size: {{ . | quote }}
{{- end }}
{{- with $ingress.timeoutSeconds }}
{{ $nginx }}/proxy-read-timeout: {{ . | quote }}
{{ $nginx }}/proxy-send-timeout: {{ . | quote }}
{{- end }}
{{- if eq .kind "rest" }}
# An event stream is of no use when it is gathered first.
{{ $nginx }}/proxy-buffering: "off"
{{- end }}
{{- with $ingress.rateLimit }}
{{- if .requestsPerSecond }}
{{ $nginx }}/limit-rps: {{ .requestsPerSecond | quote }}
{{ $nginx }}/limit-burst-multiplier: {{ .burst | quote }}
{{- end }}
{{- if .connections }}
{{ $nginx }}/limit-connections: {{ .connections | quote }}
{{- end }}
{{- with .exempt }}
{{ $nginx }}/limit-whitelist: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- with $ingress.allowedSources }}
{{ $nginx }}/whitelist-source-range: {{ join "," . | quote }}
{{- end }}
{{- with $ingress.cors }}
{{- if .enabled }}
{{- if (dig "http" "cors" "allowed_origins" (list) ($.context.Values.settings | default dict)) }}
{{- fail "ingress.rest.cors.enabled and settings.http.cors.allowed_origins: both would answer, and browsers refuse two answers; choose one" }}
{{- end }}
{{- if not .allowedOrigins }}
{{- fail "ingress.rest.cors.enabled: ingress.rest.cors.allowedOrigins is empty, which for nginx means every page" }}
{{- end }}
{{ $nginx }}/enable-cors: "true"
{{ $nginx }}/cors-allow-origin: {{ join "," .allowedOrigins | quote }}
{{ $nginx }}/cors-allow-methods: {{ join "," .allowedMethods | quote }}
{{ $nginx }}/cors-allow-headers: {{ join "," .allowedHeaders | quote }}
{{ $nginx }}/cors-expose-headers: {{ join "," .exposedHeaders | quote }}
{{ $nginx }}/cors-allow-credentials: {{ .allowCredentials | quote }}
{{ $nginx }}/cors-max-age: {{ .maxAgeSeconds | quote }}
{{- end }}
{{- end }}
{{- end -}}
