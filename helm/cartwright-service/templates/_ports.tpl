{{/* The port of the Service for a kind of traffic: (dict "context" $ "kind" "grpc"), else REST. */}}
{{- define "cartwright-service.servicePort" -}}
{{- $service := .context.Values.service }}
{{- if eq .kind "grpc" }}{{ $service.grpc.port }}
{{- else }}{{ ($service.rest | default $service.api).port }}
{{- end }}
{{- end -}}

{{/* Not empty where gRPC and REST are encrypted by the process itself. */}}
{{- define "cartwright-service.servesTls" -}}
{{- if (.Values.tls | default dict).enabled }}true{{ end }}
{{- end -}}
