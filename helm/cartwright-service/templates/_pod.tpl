{{- /* What all pods of a service have in common, replicas, migrations and tests alike. */ -}}

{{- /* Variables: where the settings are, and what telemetry says of the pod. */ -}}
{{- define "cartwright-service.env" -}}
- name: CARTWRIGHT_CONFIG
  value: /etc/cartwright/settings/settings.yaml
- name: K8S_NAMESPACE_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: K8S_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: K8S_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: K8S_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
{{- with .Values.clusterName }}
- name: K8S_CLUSTER_NAME
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.extraEnv" -}}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.mounts" -}}
- name: settings
  mountPath: /etc/cartwright/settings
  readOnly: true
{{- if and (include "cartwright-service.secrets.used" . | fromYaml) (ne .Values.secrets.mode "vault") }}
- name: secrets
  mountPath: /etc/cartwright/secrets
  readOnly: true
{{- end }}
{{- with .Values.auth }}
{{- if or .jwks.configMap .jwks.secret }}
- name: jwks
  mountPath: /etc/cartwright/jwks
  readOnly: true
{{- end }}
{{- end }}
{{- if include "cartwright-service.developer" . }}
- name: keys
  mountPath: /etc/cartwright/keys
  readOnly: true
{{- end }}
{{- if (.Values.database | default dict).caSecret }}
- name: database-ca
  mountPath: /etc/cartwright/database-ca
  readOnly: true
{{- end }}
{{- if (.Values.tls | default dict).enabled }}
- name: tls
  mountPath: /etc/cartwright/tls
  readOnly: true
{{- end }}
{{- if .Values.persistence }}
- name: books
  mountPath: {{ dig "books" "directory" "" .Values.settings }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{- /* include … (dict "root" . "config" NAME "secret" NAME) */ -}}
{{- define "cartwright-service.volumes" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
- name: settings
  configMap:
    name: {{ .config }}
{{- $keys := include "cartwright-service.secrets.keys" $root | fromYamlArray }}
{{- if and $keys (eq $values.secrets.mode "vault") }}
- name: vault-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: {{ $values.secrets.vault.audience }}
          expirationSeconds: 3600
          path: token
{{- else if $keys }}
- name: secrets
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      {{- range $keys }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}
{{- with $values.auth }}
{{- if .jwks.configMap }}
- name: jwks
  configMap:
    name: {{ tpl .jwks.configMap $root }}
    items:
      - key: {{ .jwks.key }}
        path: {{ .jwks.key }}
{{- else if .jwks.secret }}
- name: jwks
  secret:
    secretName: {{ tpl .jwks.secret $root }}
    defaultMode: 0440
    items:
      - key: {{ .jwks.key }}
        path: {{ .jwks.key }}
{{- end }}
{{- end }}
{{- if include "cartwright-service.developer" $root }}
{{ include "cartwright-service.developer.volumes" $root }}
{{- end }}
{{- with ($values.database | default dict).caSecret }}
- name: database-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- if ($values.tls | default dict).enabled }}
- name: tls
  secret:
    secretName: {{ include "cartwright-service.tls.secretName" $root }}
    defaultMode: 0440
{{- end }}
{{- with $values.persistence }}
- name: books
  {{- if .enabled }}
  persistentVolumeClaim:
    claimName: {{ default (include "cartwright-service.fullname" $root) .existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .size }}
  {{- end }}
{{- end }}
{{- with $values.extraVolumes }}
{{ tpl (toYaml .) $root }}
{{- end }}
{{- end -}}

{{- /* Where pods may be. */ -}}
{{- define "cartwright-service.scheduling" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cartwright-service.affinity" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "cartwright-service.selectorLabels" . | fromYaml)) -}}
{{- if .Values.affinity }}
affinity:
  {{- toYaml .Values.affinity | nindent 2 }}
{{- else if eq .Values.antiAffinity "soft" }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          {{- toYaml $term | nindent 10 }}
{{- else if eq .Values.antiAffinity "hard" }}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - {{ toYaml $term | nindent 8 | trim }}
{{- end }}
{{- end -}}

{{- /* Counted for each version apart, so that a rollout spreads as well as what was before. */ -}}
{{- define "cartwright-service.topologySpread" -}}
{{- $root := . -}}
{{- $spread := .Values.topologySpread -}}
{{- if or $spread.zones.enabled $spread.nodes.enabled }}
topologySpreadConstraints:
  {{- range $key, $one := dict "topology.kubernetes.io/zone" $spread.zones "kubernetes.io/hostname" $spread.nodes }}
  {{- if $one.enabled }}
  - topologyKey: {{ $key }}
    maxSkew: {{ $one.maxSkew }}
    whenUnsatisfiable: {{ $one.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "cartwright-service.selectorLabels" $root | nindent 8 }}
    matchLabelKeys:
      - pod-template-hash
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
