{{/*
Where a URL of the settings leads, as a rule for egress. Policies know pods and addresses,
not names, so the host says which:
  name, name.space.svc…   a Service: pods of its namespace; of one of our charts, its pods
  10.1.2.3                that address
  anything else           outside of the cluster

(dict "context" $ "url" "postgres://…" "way" .Values.networkPolicy.egress.database
      "what" "Postgres" "public" false)
`way.to` and `way.port` win over what the URL says.
*/}}
{{- define "cartwright-service.destination" -}}
{{- $url := .url }}
{{- $to := .way.to }}
{{- $port := .way.port }}
{{- if $url }}
{{- /* Only the host is looked at: a password may hold what no URL may. */}}
{{- $scheme := regexFind "^[a-z]+" $url }}
{{- $authority := regexReplaceAll "^[a-z]+://" $url "" | regexFind "^[^/?#]*" | regexFind "[^@]*$" }}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" | trimPrefix "[" | trimSuffix "]" }}
{{- $given := regexFind ":[0-9]+$" $authority | trimPrefix ":" }}
{{- $port = $port | default ($given | default (get (dict "postgres" 5432 "postgresql" 5432 "redis" 6379 "rediss" 6379 "http" 80 "https" 443) $scheme)) }}
{{- if not $to }}
{{- $to = include "cartwright-service.peersOf" (dict "context" .context "host" $host "public" .public) | fromJsonArray }}
{{- end }}
{{- end }}
{{- if or (not $to) (not $port) }}
{{- fail (printf "networkPolicy: where %s is stands in a secret, so set networkPolicy.egress.%s.to and .port" .what .key) }}
{{- end }}
# {{ .what }}
- to:
    {{- toYaml $to | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ int $port }}
{{- end -}}

{{- define "cartwright-service.peersOf" -}}
{{- $labels := list }}
{{- $space := "" }}
{{- $service := "" }}
{{- if not (contains "." .host) }}
{{- $service = .host }}
{{- else if regexMatch "^([^.]+\\.)+svc(\\..*)?$" .host }}
{{- $service = splitList "." .host | first }}
{{- $space = regexReplaceAll "^.*?([^.]+)\\.svc(\\..*)?$" .host "${1}" }}
{{- end }}
{{- if contains ":" .host }}
{{- list (dict "ipBlock" (dict "cidr" (printf "%s/128" .host))) | toJson }}
{{- else if $service }}
{{- $peer := dict }}
{{- if $space }}
{{- $_ := set $peer "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $space)) }}
{{- end }}
{{- $pods := dict }}
{{- range list "order-service" "payment-service" "inventory-service" "payment-simulator" }}
{{- if contains . $service }}
{{- $pods = dict "matchLabels" (dict "app.kubernetes.io/name" .) }}
{{- end }}
{{- end }}
{{- /* The stores of a trial are pods of the same release. */}}
{{- if (.context.Values.global | default dict).trial }}
{{- range list "postgres" "redis" }}
{{- if eq $service (include "cartwright-service.sibling" (list $.context .)) }}
{{- $pods = dict "matchLabels" (dict "app.kubernetes.io/name" . "app.kubernetes.io/instance" $.context.Release.Name) }}
{{- end }}
{{- end }}
{{- end }}
{{- $_ := set $peer "podSelector" $pods }}
{{- list $peer | toJson }}
{{- else if regexMatch "^[0-9.]+$" .host }}
{{- list (dict "ipBlock" (dict "cidr" (printf "%s/32" .host))) | toJson }}
{{- else }}
{{- $policy := .context.Values.networkPolicy }}
{{- include "cartwright-service.outside" (.public | ternary (concat $policy.privateCidrs $policy.clusterCidrs) (concat (list "169.254.0.0/16" "fe80::/10") $policy.clusterCidrs)) }}
{{- end }}
{{- end -}}

{{/* All addresses but some, for both families of IP. */}}
{{- define "cartwright-service.outside" -}}
{{- $v4 := list }}
{{- $v6 := list }}
{{- range . }}
{{- if contains ":" . }}{{ $v6 = append $v6 . }}{{ else }}{{ $v4 = append $v4 . }}{{ end }}
{{- end }}
{{- list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $v4)) (dict "ipBlock" (dict "cidr" "::/0" "except" $v6)) | toJson }}
{{- end -}}
