{{- /* Trials need no issuer: pods make what they know callers by from one private key. */ -}}

{{- define "cartwright-service.developer" -}}
{{- if dig "developerKey" "secret" "" (.Values.auth | default dict) -}}
true
{{- end -}}
{{- end -}}

{{- define "cartwright-service.developer.issuer" -}}
{{- tpl (.Values.auth.issuer | default "cartwright-local") . -}}
{{- end -}}

{{- define "cartwright-service.developer.container" -}}
name: keys
image: {{ include "cartwright-service.imageOf" (list . .Values.cli.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  - keys
  - init
  - /etc/cartwright/keys
  - --issuer={{ include "cartwright-service.developer.issuer" . }}
  - --audience={{ .Values.auth.audience }}
  {{- if .Values.peers }}
  - --service={{ .Chart.Name }}
  {{- end }}
resources:
  requests:
    cpu: 10m
    memory: 16Mi
  limits:
    memory: 64Mi
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - name: keys
    mountPath: /etc/cartwright/keys
  # Read once, so a change of it need not be seen.
  - name: developer-key
    mountPath: /etc/cartwright/keys/developer.pem
    subPath: developer.pem
    readOnly: true
{{- end -}}

{{- define "cartwright-service.developer.volumes" -}}
- name: keys
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: developer-key
  secret:
    secretName: {{ tpl .Values.auth.developerKey.secret . }}
    defaultMode: 0440
    items:
      - key: {{ .Values.auth.developerKey.key }}
        path: developer.pem
{{- end -}}
