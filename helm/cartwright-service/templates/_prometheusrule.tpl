{{/*
Recording rules and alerts of deploy/prometheus/rules, those of this service. There they are
about a whole shop on one Prometheus; here each release brings its own, and every series in
them is one of this release, so that releases neither count each other's calls nor write
the same series.
*/}}
{{- define "cartwright-service.prometheusRule" -}}
{{- include "cartwright-service.requireApi" (dict "context" . "api" "monitoring.coreos.com/v1/PrometheusRule" "switch" "monitoring.prometheusRule.enabled" "what" "the Prometheus operator") }}
{{- $own := .Values.monitoring.prometheusRule }}
{{- $groups := list }}
{{- range $path, $content := .Files.Glob "files/rules/*.yaml" }}
{{- range (toString $content | fromYaml).groups }}
{{- $services := get (include "cartwright-service.ruleOwners" $ | fromYaml) .name }}
{{- if not $services }}
{{- fail (printf "%s: whose rules are those of the group %s? See ruleOwners in the library chart" $path .name) }}
{{- end }}
{{- if has $.Chart.Name $services }}
{{- $rules := list }}
{{- range .rules }}
{{- $rule := include "cartwright-service.rule" (dict "context" $ "rule" .) | fromJson }}
{{- if $rule }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- if $rules }}
{{- $groups = append $groups (merge (dict "rules" $rules "name" (printf "%s.%s.%s" $.Release.Namespace (include "cartwright-service.fullname" $) .name)) .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if not $groups }}
{{- fail "monitoring.prometheusRule.enabled: this chart was packaged without its rules" }}
{{- end }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "cartwright-service.metadata" (dict "context" . "name" (include "cartwright-service.fullname" .) "labels" $own.labels) | nindent 2 }}
spec:
  groups:
    {{- toYaml $groups | nindent 4 }}
    {{- with $own.extraGroups }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Which services a group, or one alert of it, is about. */}}
{{- define "cartwright-service.ruleOwners" -}}
{{- $services := "[order-service, payment-service, inventory-service]" -}}
{{- $all := "[order-service, payment-service, inventory-service, payment-simulator]" -}}
cartwright.alive: {{ $all }}
cartwright.limits: {{ $all }}
cartwright.telemetry: {{ $all }}
cartwright.calls: {{ $services }}
cartwright.calls.alerts: {{ $services }}
cartwright.events: {{ $services }}
cartwright.books: {{ $services }}
cartwright.stores: {{ $services }}
cartwright.objectives: [order-service]
cartwright.objectives.failed: [order-service]
cartwright.objectives.slow: [order-service]
cartwright.orders: [order-service]
cartwright.money: [payment-service]
StockShortfall: [inventory-service]
{{- end -}}

{{/* One rule as JSON; nothing if it is about other services. (dict "context" $ "rule" …) */}}
{{- define "cartwright-service.rule" -}}
{{- $name := .rule.alert | default .rule.record }}
{{- $services := get (include "cartwright-service.ruleOwners" .context | fromYaml) $name }}
{{- $expr := include "cartwright-service.ownTerms" . }}
{{- if and $expr (or (not $services) (has .context.Chart.Name $services)) }}
{{- if eq $name "cartwright:memory_limit_bytes" }}
{{- $expr = printf "vector(%s)" (include "cartwright-service.bytes" (dig "limits" "memory" "" .context.Values.resources)) }}
{{- else }}
{{- $expr = include "cartwright-service.ownSeries" (dict "context" .context "expr" $expr) }}
{{- end }}
{{- $labels := merge (dict) (.rule.labels | default dict) (include "cartwright-service.seriesLabels" .context | fromJson) }}
{{- toJson (merge (dict "expr" $expr "labels" $labels) .rule) }}
{{- else }}
{{- toJson dict }}
{{- end }}
{{- end -}}

{{/* `absent(x{job="a"}) or absent(x{job="b"})` without the terms of other services. */}}
{{- define "cartwright-service.ownTerms" -}}
{{- $kept := list }}
{{- range splitList " or " (.rule.expr | replace "\n" " ") }}
{{- $job := regexFind "^absent\\(\\w+\\{job=\"[a-z-]+\"\\}\\)$" (trim .) | regexFind "\"[a-z-]+\"" | trimAll "\"" }}
{{- if or (not $job) (eq $job $.context.Chart.Name) }}
{{- $kept = append $kept . }}
{{- end }}
{{- end }}
{{- join " or " $kept }}
{{- end -}}

{{/*
The expression with this release's labels in the selector of every series. The pieces of
PromQL, longest first: what groups by labels, ranges, texts, numbers and durations, names
with a bracket after them (functions, operators), names with or without a selector, and
whatever else. Of these only a name that is no word of the language is a series.
*/}}
{{- define "cartwright-service.ownSeries" -}}
{{- $words := list "and" "or" "unless" "bool" "offset" "sum" "min" "max" "avg" "count" "by" "without" "on" "ignoring" "group_left" "group_right" "inf" "nan" }}
{{- $own := include "cartwright-service.series" .context }}
{{- $grouping := "\\b(?:by|without|on|ignoring|group_left|group_right)\\s*\\([^)]*\\)" }}
{{- $text := "\"(?:[^\"\\\\]|\\\\.)*\"" }}
{{- $selector := printf "\\{(?:[^}\"]|%s)*\\}" $text }}
{{- $name := "[a-zA-Z_:][a-zA-Z0-9_:]*" }}
{{- $pieces := printf "%s|\\[[^\\]]*\\]|%s|[0-9][0-9a-zA-Z.]*|%s\\s*\\(|%s(?:%s)?|(?s:.)" $grouping $text $name $name $selector }}
{{- range regexFindAll $pieces .expr -1 }}
{{- if and (regexMatch "^[a-zA-Z_:]" .) (not (hasSuffix "(" .)) (not (hasSuffix ")" .)) (not (has . $words)) }}
{{- $series := regexFind "^[a-zA-Z0-9_:]+" . }}
{{- $given := trimPrefix $series . | trimPrefix "{" | trimSuffix "}" }}
{{- $rest := regexReplaceAllLiteral "\\bjob=\"[a-z-]+\"(, *)?" $given "" | trimSuffix ", " }}
{{- $series }}{ {{- $own }}{{ with $rest }}, {{ . }}{{ end -}} }
{{- else }}
{{- . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A quantity of Kubernetes as a number of bytes: `256Mi`, `1G`, `1073741824`. */}}
{{- define "cartwright-service.bytes" -}}
{{- $quantity := toString . }}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 }}
{{- $unit := regexFind "[A-Za-z]*$" $quantity }}
{{- if or (not (hasKey $units $unit)) (not (regexMatch "^[0-9]+[A-Za-z]*$" $quantity)) }}
{{- fail (printf "resources.limits.memory is %q; alerts on memory need it as a whole number with k, M, G, Ki, Mi, Gi or nothing" $quantity) }}
{{- end }}
{{- mul (regexFind "^[0-9]+" $quantity | int64) (get $units $unit) }}
{{- end -}}
