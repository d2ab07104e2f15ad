{{- /* Written by `make generate` from docs/settings.json. */ -}}
{{- /* Which settings of a process take effect without a restart: a change of those is no
reason for new pods. */ -}}
{{- define "cartwright-service.facts.inventory-service" -}}
reloaded:
  - database.password
  - database.url
  - limits
  - log.level
  - redis.ca
  - redis.password
  - redis.url
  - telemetry.sample_ratio
secrets:
  - database.password
  - database.url
  - redis.password
  - redis.url
  - server.page_token_secret
{{- end }}
{{- define "cartwright-service.facts.order-service" -}}
reloaded:
  - database.password
  - database.url
  - features
  - inventory.token
  - limits
  - log.level
  - payment.token
  - redis.ca
  - redis.password
  - redis.url
  - telemetry.sample_ratio
secrets:
  - database.password
  - database.url
  - inventory.token
  - payment.token
  - redis.password
  - redis.url
  - server.page_token_secret
{{- end }}
{{- define "cartwright-service.facts.payment-service" -}}
reloaded:
  - database.password
  - database.url
  - limits
  - log.level
  - redis.ca
  - redis.password
  - redis.url
  - telemetry.sample_ratio
secrets:
  - database.password
  - database.url
  - provider.api_key
  - provider.webhook_secrets
  - redis.password
  - redis.url
  - server.page_token_secret
{{- end }}
{{- define "cartwright-service.facts.payment-simulator" -}}
reloaded:
  - log.level
  - telemetry.sample_ratio
secrets:
  - api.api_key
  - webhooks.secret
{{- end }}
