{{- /* `helm test`: the command line client asks the service, as its callers would. */ -}}

{{- define "cartwright-service.tests" -}}
{{- if .Values.tests.enabled }}
{{- $tls := (.Values.tls | default dict).enabled }}
{{- $scheme := ternary "https" "http" (eq $tls true) }}
{{- $credentials := .Values.tests.credentials }}
{{- $own := trimSuffix "-service" .Chart.Name | upper }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "cartwright-service.fullname" . }}-test
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "cartwright-service.sideLabels" (list . "test") | nindent 4 }}
  {{- include "cartwright-service.annotations" (list . (dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation")) | nindent 2 }}
spec:
  {{- with include "cartwright-service.imagePullSecrets" . }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  serviceAccountName: {{ include "cartwright-service.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: test
      image: {{ include "cartwright-service.imageOf" (list . .Values.cli.image) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: {{ include "cartwright-service.tests.args" . }}
      env:
        - name: CARTWRIGHT_{{ $own }}_URL
          value: {{ $scheme }}://{{ include "cartwright-service.fullname" . }}:{{ .Values.service.grpc.port }}
        {{- range $name, $peer := .Values.peers }}
        - name: CARTWRIGHT_{{ upper $name }}_URL
          value: {{ $scheme }}://{{ tpl $peer.host $ }}:{{ int $peer.port }}
        {{- end }}
        {{- if $tls }}
        - name: CARTWRIGHT_CA
          value: /etc/cartwright/tls/ca.crt
        {{- end }}
        {{- if and $credentials.secret $credentials.profileKey }}
        - name: CARTWRIGHT_CREDENTIALS
          value: /etc/cartwright/credentials/{{ $credentials.profileKey }}
        {{- end }}
      resources:
        requests:
          cpu: 50m
          memory: 32Mi
        limits:
          memory: 64Mi
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      {{- if or $credentials.secret $tls }}
      volumeMounts:
        {{- if $credentials.secret }}
        - name: credentials
          mountPath: /etc/cartwright/credentials
          readOnly: true
        {{- end }}
        {{- if $tls }}
        - name: tls
          mountPath: /etc/cartwright/tls
          readOnly: true
        {{- end }}
      {{- end }}
  {{- if or $credentials.secret $tls }}
  volumes:
    {{- if $credentials.secret }}
    - name: credentials
      secret:
        secretName: {{ tpl $credentials.secret . }}
        defaultMode: 0440
        items:
          {{- range ternary (list $credentials.profileKey $credentials.privateKey) (list $credentials.tokenKey) (ne $credentials.profileKey "") }}
          - key: {{ . }}
            path: {{ . }}
          {{- end }}
    {{- end }}
    {{- if $tls }}
    - name: tls
      secret:
        secretName: {{ include "cartwright-service.tls.secretName" . }}
        defaultMode: 0440
        items:
          - key: ca.crt
            path: ca.crt
    {{- end }}
  {{- end }}
  {{- with include "cartwright-service.scheduling" . }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* What is asked: enough to go through the gate to the database. */ -}}
{{- define "cartwright-service.tests.args" -}}
{{- $args := dict
  "order-service" (ternary (list "demo") (list "order" "list" "--limit" "1") (eq (.Values.tests.kind | default "") "order"))
  "payment-service" (list "payment" "list" "--limit" "1")
  "inventory-service" (list "stock" "list" "--limit" "1") -}}
{{- $credentials := .Values.tests.credentials -}}
{{- $token := list -}}
{{- if and $credentials.secret (not $credentials.profileKey) -}}
{{- $token = list "--token-file" (printf "/etc/cartwright/credentials/%s" $credentials.tokenKey) -}}
{{- end -}}
{{- concat $token (get $args .Chart.Name) | toJson -}}
{{- end -}}
