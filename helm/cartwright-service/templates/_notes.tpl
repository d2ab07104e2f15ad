{{- /* What is said after an installation. */ -}}

{{- define "cartwright-service.notes" -}}
{{- $name := include "cartwright-service.fullname" . -}}
{{- $space := .Release.Namespace -}}
{{- $scheme := ternary "https" "http" (eq ((.Values.tls | default dict).enabled | default false) true) -}}
{{ .Chart.Name }} {{ include "cartwright-service.version" . }} is {{ $name }} in {{ $space }}.

  wait for it    kubectl -n {{ $space }} rollout status deployment/{{ $name }}
{{- with .Values.service.grpc }}
  gRPC           {{ $name }}.{{ $space }}.svc:{{ .port }}; clients that balance themselves: {{ include "cartwright-service.headlessName" $ }}
{{- end }}
{{- with .Values.service.rest }}
  REST           kubectl -n {{ $space }} port-forward service/{{ $name }} 8080:{{ .port }}, then {{ $scheme }}://127.0.0.1:8080/docs
{{- end }}
{{- with .Values.service.api }}
  API            http://{{ $name }}.{{ $space }}.svc:{{ .port }}
{{- end }}
  logs           kubectl -n {{ $space }} logs --selector app.kubernetes.io/name={{ include "cartwright-service.name" . }},app.kubernetes.io/instance={{ .Release.Name }}
  health         kubectl -n {{ $space }} port-forward deployment/{{ $name }} 9090:private, then http://127.0.0.1:9090/health/ready
{{- with .Values.tests }}
{{- if .enabled }}
  test           helm -n {{ $space }} test {{ $.Release.Name }}
{{- if not .credentials.secret }}, which will be refused as long as tests.credentials.secret is empty{{ end }}
{{- end }}
{{- end }}
{{- range include "cartwright-service.warnings" . | fromYamlArray }}

WARNING: {{ . }}
{{- end }}
{{- end -}}

{{- /* What a platform team would ask about. */ -}}
{{- define "cartwright-service.warnings" -}}
{{- $settings := include "cartwright-service.settings" . | fromYaml }}
{{- if and (eq (dig "auth" "mode" "" $settings) "none") .Values.auth }}
- "callers are not checked (settings.auth.mode is none): whoever reaches this service may do anything."
{{- end }}
{{- if include "cartwright-service.developer" . }}
- "callers are known by a developer's key (auth.developerKey): whoever reads that Secret can be anybody, and pods that are older than 30 days can no longer call each other."
{{- end }}
{{- if eq .Values.secrets.mode "create" }}
- "secrets are in the values, and so in the release, too (secrets.mode is create)."
{{- end }}
{{- if eq ((.Values.migration | default dict).mode | default "") "none" }}
- "nobody migrates the database (migration.mode is none): pods are not ready until its schema is current."
{{- end }}
{{- if and .Values.database (has (.Values.database | default dict).sslMode (list "disable" "prefer")) }}
- {{ printf "passwords and data may go to Postgres in the clear (database.sslMode is %s)." .Values.database.sslMode | quote }}
{{- end }}
{{- if and .Values.persistence (not (.Values.persistence | default dict).enabled) }}
- "the books go with the pod (persistence.enabled is false): after that an audit finds them different from the shop's."
{{- end }}
{{- end -}}
