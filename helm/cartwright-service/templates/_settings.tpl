{{- /* The settings file: what the chart knows, then what the values say, then where secrets
are. */ -}}

{{- define "cartwright-service.settings" -}}
{{- $known := include "cartwright-service.settings.known" . | fromYaml -}}
{{- $own := tpl (toYaml .Values.settings) . | fromYaml -}}
{{- $files := include "cartwright-service.settings.files" . | fromYaml -}}
{{- range $what, $part := dict "known settings" $known "settings" $own "secrets.keys" $files -}}
{{- if hasKey $part "Error" -}}
{{- fail (printf "%s: %s" $what $part.Error) -}}
{{- end -}}
{{- end -}}
{{- toYaml (mergeOverwrite $known $own $files) -}}
{{- end -}}

{{- /* Is there a value, or a file with it, in `settings` or a secret for it?
include "cartwright-service.settings.has" (list . "database" "url") */ -}}
{{- define "cartwright-service.settings.has" -}}
{{- $root := index . 0 -}}
{{- $section := index . 1 -}}
{{- $key := index . 2 -}}
{{- $settings := dig $section (dict) $root.Values.settings -}}
{{- if or (get $settings $key) (get $settings (printf "%s_file" $key)) (dig $section $key "" $root.Values.secrets.keys) -}}
true
{{- end -}}
{{- end -}}

{{- define "cartwright-service.settings.known" -}}
{{- $root := . -}}
{{- $tls := (.Values.tls | default dict).enabled -}}
{{- with .Values.database }}
{{- if not (include "cartwright-service.settings.has" (list $root "database" "url")) }}
{{- $host := tpl (required "database.host is needed, unless the whole URL is a secret (secrets.keys.database.url)" .host) $root }}
database:
  url: {{ printf "postgres://%s@%s:%d/%s?sslmode=%s" .user $host (int .port) .name .sslMode }}
  {{- if .caSecret }}&sslrootcert=/etc/cartwright/database-ca/ca.crt{{ end }}
{{- end }}
{{- end }}
{{- with .Values.redis }}
{{- if not (include "cartwright-service.settings.has" (list $root "redis" "url")) }}
{{- $host := tpl (required "redis.host is needed, unless the whole URL is a secret (secrets.keys.redis.url)" .host) $root }}
redis:
  url: {{ if .tls }}rediss{{ else }}redis{{ end }}://{{ with .user }}{{ . }}@{{ end }}{{ $host }}:{{ int .port }}/{{ int .database }}
{{- end }}
{{- end }}
{{- with .Values.auth }}
{{- if ne (dig "auth" "mode" "jwt" $root.Values.settings) "none" }}
auth:
  mode: jwt
  {{- if .developerKey.secret }}
  issuer: {{ include "cartwright-service.developer.issuer" $root }}
  {{- else }}
  issuer: {{ tpl (required "auth.issuer is needed: what tokens of callers have as `iss`" .issuer) $root | quote }}
  {{- end }}
  audience: {{ .audience | quote }}
  {{- if .developerKey.secret }}
  jwks_url: file:///etc/cartwright/keys/jwks.json
  {{- else if or .jwks.configMap .jwks.secret }}
  jwks_url: file:///etc/cartwright/jwks/{{ .jwks.key }}
  {{- else if .jwksUrl }}
  jwks_url: {{ tpl .jwksUrl $root | quote }}
  {{- else if not (include "cartwright-service.settings.has" (list $root "auth" "jwks_url")) }}
  {{- fail "auth.jwksUrl, auth.jwks.configMap, auth.jwks.secret or auth.developerKey.secret is needed: where the issuer's public keys are" }}
  {{- end }}
{{- end }}
{{- end }}
{{- range $name, $peer := .Values.peers }}
{{ $name }}:
  url: {{ if $tls }}https{{ else }}http{{ end }}://{{ tpl (required (printf "peers.%s.host is needed" $name) $peer.host) $root }}:{{ int $peer.port }}
  {{- if $tls }}
  server_name: {{ $name }}-service
  {{- else if $root.Values.auth.developerKey.secret }}
  token_file: /etc/cartwright/keys/{{ $root.Chart.Name }}.token
  {{- end }}
{{- end }}
{{- if $tls }}
tls:
  certificate: /etc/cartwright/tls/tls.crt
  key: /etc/cartwright/tls/tls.key
  ca: /etc/cartwright/tls/ca.crt
{{- end }}
{{- if not (include "cartwright-service.sleeps" .) }}
drain:
  endpoint_removal_ms: {{ mul 1000 (int .Values.preStop.sleepSeconds) }}
{{- end }}
{{- end -}}

{{- /* Kubernetes can sleep by itself from 1.30 on; there is no `sleep` in our images. */ -}}
{{- define "cartwright-service.sleeps" -}}
{{- if and (gt (int .Values.preStop.sleepSeconds) 0) (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}
true
{{- end -}}
{{- end -}}

{{- define "cartwright-service.facts" -}}
{{- include (printf "cartwright-service.facts.%s" .Chart.Name) . -}}
{{- end -}}

{{- /* `a.b_file: /etc/cartwright/secrets/KEY` for each secret that is used. */ -}}
{{- define "cartwright-service.settings.files" -}}
{{- $all := dict -}}
{{- range $path, $key := include "cartwright-service.secrets.used" . | fromYaml -}}
{{- $parts := splitList "." $path -}}
{{- $node := dict (printf "%s_file" (last $parts)) (printf "/etc/cartwright/secrets/%s" $key) -}}
{{- range reverse (initial $parts) -}}
{{- $node = dict . $node -}}
{{- end -}}
{{- $all = merge $all $node -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{- /* Of what does not take effect without a restart. */ -}}
{{- define "cartwright-service.settings.checksum" -}}
{{- $settings := include "cartwright-service.settings" . | fromYaml -}}
{{- range (include "cartwright-service.facts" . | fromYaml).reloaded -}}
{{- $parts := splitList "." . -}}
{{- $at := $settings -}}
{{- range initial $parts -}}
{{- $at = get $at . | default dict -}}
{{- end -}}
{{- $_ := unset $at (last $parts) -}}
{{- end -}}
{{- /* A section with nothing else in it is as good as none. */ -}}
{{- range $section, $keys := deepCopy $settings -}}
{{- if not $keys -}}
{{- $_ := unset $settings $section -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings | sha256sum -}}
{{- end -}}

{{- /* Name and number of each port: what the settings say. */ -}}
{{- define "cartwright-service.ports" -}}
{{- $settings := include "cartwright-service.settings" . | fromYaml -}}
{{- with dig "server" "listen" "" $settings }}
grpc: {{ splitList ":" . | last }}
{{- end }}
{{- with dig "http" "listen" (dig "api" "listen" "" $settings) $settings }}
http: {{ splitList ":" . | last }}
{{- end }}
private: {{ splitList ":" (get $settings "private_listen" | default "0.0.0.0:9090") | last }}
{{- end -}}
