{{- /* Secrets, wherever they come from, are files below /etc/cartwright/secrets. */ -}}

{{- /* Setting: key in the Secret, of all secrets that are used. */ -}}
{{- define "cartwright-service.secrets.used" -}}
{{- $root := . -}}
{{- $proves := or (.Values.tls | default dict).enabled (include "cartwright-service.developer" .) -}}
{{- range (include "cartwright-service.facts" . | fromYaml).secrets }}
{{- $parts := splitList "." . }}
{{- $at := $root.Values.secrets.keys }}
{{- range initial $parts }}
{{- $at = get $at . | default dict }}
{{- end }}
{{- $key := get $at (last $parts) }}
{{- /* Over TLS a certificate says who we are, and with a developer's key the token is made. */ -}}
{{- if and $key (not (and $proves (has . (list "inventory.token" "payment.token")))) }}
{{ . }}: {{ $key | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.secrets.keys" -}}
{{- range include "cartwright-service.secrets.used" . | fromYaml | values | sortAlpha | uniq }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.secretName" -}}
{{- if eq .Values.secrets.mode "existing" -}}
{{- tpl (required "secrets.existing.name is needed (secrets.mode is existing)" .Values.secrets.existing.name) . -}}
{{- else -}}
{{- include "cartwright-service.fullname" . -}}
{{- end -}}
{{- end -}}

{{- /* The objects that make the Secret, if the chart makes it. */ -}}
{{- define "cartwright-service.secret" -}}
{{- include "cartwright-service.secret.of" (dict "root" . "name" (include "cartwright-service.fullname" .) "labels" (include "cartwright-service.labels" .) "annotations" dict) -}}
{{- end -}}

{{- define "cartwright-service.secret.of" -}}
{{- $root := .root -}}
{{- $mode := $root.Values.secrets.mode -}}
{{- $keys := include "cartwright-service.secrets.keys" $root | fromYamlArray -}}
{{- if and $keys (has $mode (list "create" "external" "sealed")) }}
apiVersion: {{ get (dict "create" "v1" "external" "external-secrets.io/v1" "sealed" "bitnami.com/v1alpha1") $mode }}
kind: {{ get (dict "create" "Secret" "external" "ExternalSecret" "sealed" "SealedSecret") $mode }}
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- .labels | nindent 4 }}
  {{- $annotations := .annotations }}
  {{- $scope := $root.Values.secrets.sealed.scope }}
  {{- if and (eq $mode "sealed") (ne $scope "strict") }}
  {{- $annotations = merge (dict (printf "sealedsecrets.bitnami.com/%s" $scope) "true") $annotations }}
  {{- end }}
  {{- with include "cartwright-service.annotations" (list $root $annotations) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{ include (printf "cartwright-service.secret.%s" $mode) (dict "root" $root "name" .name "keys" $keys "annotations" $annotations) }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.secret.create" -}}
type: Opaque
data:
  {{- $values := include "cartwright-service.secrets.values" .root | fromYaml }}
  {{- range .keys }}
  {{ . }}: {{ get $values . | b64enc | quote }}
  {{- end }}
{{- end -}}

{{- /* What is given, and a key for page tokens, which is made once and found again. */ -}}
{{- define "cartwright-service.secrets.values" -}}
{{- $root := . -}}
{{- $values := .Values.secrets.values -}}
{{- $used := include "cartwright-service.secrets.used" . | fromYaml -}}
{{- range $path, $key := $used -}}
{{- if not (get $values $key) -}}
{{- if ne $path "server.page_token_secret" -}}
{{- fail (printf "secrets.values.%s is needed (%s; secrets.mode is create)" $key $path) -}}
{{- end -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (include "cartwright-service.fullname" $root) | default dict -}}
{{- $_ := set $values $key (dig "data" $key "" $found | b64dec | default (randAlphaNum 48)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $values -}}
{{- end -}}

{{- define "cartwright-service.secret.external" -}}
{{- $external := .root.Values.secrets.external -}}
spec:
  refreshInterval: {{ $external.refreshInterval }}
  secretStoreRef:
    name: {{ required "secrets.external.storeRef.name is needed (secrets.mode is external)" $external.storeRef.name }}
    kind: {{ $external.storeRef.kind }}
  target:
    name: {{ .name }}
    creationPolicy: Owner
  data:
    {{- range .keys }}
    - secretKey: {{ . }}
      remoteRef:
        {{- with get $external.remoteRefs . }}
        {{- toYaml . | nindent 8 }}
        {{- else }}
        key: {{ required (printf "secrets.external.path is needed, or secrets.external.remoteRefs.%s (secrets.mode is external)" .) $external.path }}
        property: {{ . }}
        {{- end }}
    {{- end }}
{{- end -}}

{{- define "cartwright-service.secret.sealed" -}}
{{- $sealed := .root.Values.secrets.sealed -}}
spec:
  encryptedData:
    {{- range .keys }}
    {{ . }}: {{ required (printf "secrets.sealed.encryptedData.%s is needed (secrets.mode is sealed)" .) (get $sealed.encryptedData .) }}
    {{- end }}
  template:
    metadata:
      {{- with include "cartwright-service.annotations" (list .root dict) }}
      {{- . | trim | nindent 6 }}
      {{- end }}
    type: Opaque
{{- end -}}

{{- /* For the pods: the agent writes the files where the others are. */ -}}
{{- define "cartwright-service.secrets.vault" -}}
{{- $vault := .Values.secrets.vault -}}
vault.hashicorp.com/agent-inject: "true"
vault.hashicorp.com/agent-init-first: "true"
vault.hashicorp.com/agent-run-as-same-user: "true"
vault.hashicorp.com/agent-set-security-context: "true"
vault.hashicorp.com/agent-service-account-token-volume-name: vault-token
vault.hashicorp.com/auth-path: {{ $vault.authPath }}
vault.hashicorp.com/role: {{ required "secrets.vault.role is needed (secrets.mode is vault)" $vault.role }}
vault.hashicorp.com/secret-volume-path: /etc/cartwright/secrets
{{- range include "cartwright-service.secrets.keys" . | fromYamlArray }}
{{- $ref := get $vault.remoteRefs . }}
{{- if not $ref }}
{{- $ref = dict "field" . "path" (required (printf "secrets.vault.path is needed, or secrets.vault.remoteRefs.%s (secrets.mode is vault)" .) $vault.path) }}
{{- end }}
{{- $data := ternary ".Data.data" ".Data" (and $vault.kv2 (not (hasKey $vault.remoteRefs .))) }}
vault.hashicorp.com/agent-inject-secret-{{ . }}: {{ $ref.path }}
vault.hashicorp.com/agent-inject-template-{{ . }}: {{ printf "{{- with secret %q }}{{ index %s %q }}{{ end -}}" $ref.path $data $ref.field | squote }}
{{- end }}
{{- with $vault.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Of what does not take effect without a restart, where the chart knows it. */ -}}
{{- define "cartwright-service.secrets.checksum" -}}
{{- $values := include "cartwright-service.secrets.values" . | fromYaml -}}
{{- $reloaded := (include "cartwright-service.facts" . | fromYaml).reloaded -}}
{{- $kept := dict -}}
{{- range $path, $key := include "cartwright-service.secrets.used" . | fromYaml -}}
{{- if not (has $path $reloaded) -}}
{{- $_ := set $kept $path (get $values $key) -}}
{{- end -}}
{{- end -}}
{{- toYaml $kept | sha256sum -}}
{{- end -}}
