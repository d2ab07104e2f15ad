{{/* The ways in by the Gateway API, in the place of Ingress. */}}
{{- define "cartwright-service.gateway" -}}
{{- $parts := list }}
{{- range $kind, $route := omit .Values.gateway "backendTls" }}
{{- if $route.enabled }}
{{- $api := eq $kind "grpc" | ternary "GRPCRoute" "HTTPRoute" }}
{{- include "cartwright-service.requireApi" (dict "context" $ "api" (printf "gateway.networking.k8s.io/v1/%s" $api) "switch" (printf "gateway.%s.enabled" $kind) "what" "the Gateway API (1.1 or newer)") }}
{{- if not $route.parentRefs }}
{{- fail (printf "gateway.%s.enabled: gateway.%s.parentRefs must name the Gateway" $kind $kind) }}
{{- end }}
{{- $template := eq $kind "grpc" | ternary "cartwright-service.grpcRoute" "cartwright-service.httpRoute" }}
{{- $parts = append $parts (include $template (dict "context" $ "kind" $kind "route" $route)) }}
{{- end }}
{{- end }}
{{- if and $parts (include "cartwright-service.servesTls" .) }}
{{- $parts = append $parts (include "cartwright-service.backendTls" .) }}
{{- end }}
{{- join "\n---\n" $parts }}
{{- end -}}

{{/* Where the service encrypts, a gateway has to be told, and by whom it knows the service. */}}
{{- define "cartwright-service.backendTls" -}}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "gateway.networking.k8s.io/v1/BackendTLSPolicy" "switch" "gateway with tls.enabled" "what" "the Gateway API (1.4 or newer)") }}
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .)) | nindent 2 }}
spec:
  targetRefs:
    - group: ""
      kind: Service
      name: {{ include "cartwright-service.fullname" . }}
  validation:
    # What our certificates are for.
    hostname: {{ .Chart.Name }}
    caCertificateRefs:
      - group: ""
        kind: ConfigMap
        name: {{ required "gateway with tls.enabled: gateway.backendTls.caConfigMap must name a ConfigMap with the authority of our certificates in ca.crt; gateways read no Secret for that" .Values.gateway.backendTls.caConfigMap }}
{{- end -}}

{{- define "cartwright-service.httpRoute" -}}
{{- $public := .context.Values.public }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  {{- include "cartwright-service.metadata" (dict "context" .context "name" (include "cartwright-service.nameOf" (dict "context" .context "suffix" "http")) "annotations" .route.annotations) | nindent 2 }}
spec:
  {{- include "cartwright-service.routeHead" .route | nindent 2 }}
  rules:
    {{- if not (concat $public.paths ($public.webhooks | default list)) }}
    {{- fail "gateway.http.enabled: nothing is public; see `public`" }}
    {{- end }}
    - matches:
        {{- range $public.paths }}
        - path:
            type: PathPrefix
            value: {{ . }}
        {{- end }}
        {{- range $public.webhooks }}
        - method: POST
          path:
            type: Exact
            value: {{ . }}
        {{- end }}
      {{- with .route.filters }}
      filters:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .route.timeouts }}
      timeouts:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "cartwright-service.routeBackends" . | nindent 6 }}
{{- end -}}

{{- define "cartwright-service.grpcRoute" -}}
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata:
  {{- include "cartwright-service.metadata" (dict "context" .context "name" (include "cartwright-service.nameOf" (dict "context" .context "suffix" "grpc")) "annotations" .route.annotations) | nindent 2 }}
spec:
  {{- include "cartwright-service.routeHead" .route | nindent 2 }}
  rules:
    {{- if not .context.Values.public.services }}
    {{- fail "gateway.grpc.enabled: no gRPC service is public; see `public.services`" }}
    {{- end }}
    - matches:
        {{- range .context.Values.public.services }}
        - method:
            type: Exact
            service: {{ . }}
        {{- end }}
      {{- with .route.filters }}
      filters:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "cartwright-service.routeBackends" . | nindent 6 }}
{{- end -}}

{{- define "cartwright-service.routeHead" -}}
parentRefs:
  {{- toYaml .parentRefs | nindent 2 }}
{{- with .hostnames }}
hostnames:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.routeBackends" -}}
backendRefs:
  - name: {{ include "cartwright-service.fullname" .context }}
    port: {{ include "cartwright-service.servicePort" . }}
{{- end -}}
