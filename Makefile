# `make` prints this index. `make up` and `make test` are all a newcomer needs.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# native: private Postgres and Redis from the installed packages, services as
# plain processes. docker: everything in containers, with dashboards.
STACK ?= native
# off, with STACK=docker: no dashboards, nor what they show.
OBSERVE ?= on
# on: everything by TLS, services know each other by certificates.
TLS ?= off
# off: no trace store on port 4317, where a collector of yours may listen.
TRACES ?= on

.PHONY: help
help: ## Print this index.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## Start the whole shop on this machine and print what to try.
	@STACK=$(STACK) OBSERVE=$(OBSERVE) TLS=$(TLS) TRACES=$(TRACES) scripts/stack up

.PHONY: down
down: ## Stop the shop; its data stays.
	@STACK=$(STACK) scripts/stack down

.PHONY: ps
ps: ## Show what runs.
	@STACK=$(STACK) scripts/stack ps

.PHONY: logs
logs: ## Follow the logs; NAME=order-service for one.
	@STACK=$(STACK) scripts/stack logs $(NAME)

.PHONY: demo
demo: ## A confirmed order, a declined card, out of stock, a cancel; each with its timeline.
	@. .run/client.env && .run/bin/cartwright demo

.PHONY: clean
clean: ## Stop the shop and delete its data and logs (.run).
	@STACK=$(STACK) scripts/stack clean

.PHONY: test
test: ## Unit, property and integration tests, on a private Postgres and Redis.
	@scripts/prerequisites build stores python
	cargo build --workspace --bins
	cargo test --workspace --no-fail-fast
	cargo test --package failpoint --features failpoints,planted-bugs

.PHONY: lint
lint: ## Formatting, clippy, protos, scripts, what is deployed.
	@scripts/prerequisites build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	scripts/lint-contract
	scripts/lint-scripts
	scripts/lint-deploy

.PHONY: generate
generate: ## Write the generated files anew (after a change of proto/, settings, docs/telemetry.yaml, dashboards or helm/values).
	cargo run --quiet -p api --example generate
	cargo run --quiet -p rest --example openapi
	cargo run --quiet -p e2e --example settings_reference
	cargo run --quiet -p e2e --example telemetry_reference
	python3 scripts/dashboards
	python3 scripts/charts

.PHONY: check-generated
check-generated: generate ## Prove that the generated files are fresh.
	@git diff --exit-code --stat -- crates/api/src/gen crates/rest/openapi.json docs/settings.md docs/settings.json docs/telemetry.md deploy/grafana/dashboards 'helm/*/values.yaml' 'helm/*/values.schema.json' 'helm/*/README.md' helm/cartwright-service/templates/_facts.tpl || \
	  { echo "generated files are stale: run 'make generate' and commit" >&2; exit 1; }

.PHONY: edge-check
edge-check: ## Access matrix, bad tokens, schemathesis and abuse of the running shop; some minutes.
	@scripts/prerequisites build stores python
	@scripts/edge-check

.PHONY: edge-smoke
edge-smoke: ## A little of that, with the binaries of the tests, and the shop stopped after it.
	@scripts/prerequisites build stores python
	@PROFILE=dev scripts/edge-check --smoke; code=$$?; scripts/stack down; exit $$code

.PHONY: telemetry-check
telemetry-check: ## Traces, cost and metrics of the running shop against what we promise; some minutes.
	@scripts/prerequisites build stores python
	@scripts/telemetry-check

.PHONY: telemetry-smoke
telemetry-smoke: ## A little of that, with the binaries of the tests, and the shop stopped after it.
	@scripts/prerequisites build stores python
	@PROFILE=dev scripts/telemetry-check --smoke; code=$$?; scripts/stack down; exit $$code

.PHONY: telemetry-rules
telemetry-rules: ## Alerts with their tests, dashboards and runbook against docs/telemetry.yaml; half a minute.
	@scripts/prerequisites python promtool
	@scripts/telemetry-rules

.PHONY: compose-check
compose-check: ## The containers of deploy/compose.yaml against what we promise; seconds, where Docker has its Compose.
	@scripts/prerequisites python promtool
	@python3 scripts/compose-check

.PHONY: images
images: ## Build the image of each process, cartwright/NAME:dev; NAMES="order-service" for some.
	@docker/images $(NAMES)

.PHONY: images-check
images-check: ## Build the images, look into them, and order from the shop that runs from them; half an hour.
	@scripts/prerequisites stores python
	@scripts/images-check

.PHONY: helm-check
helm-check: ## Lint, render and prove the charts for every Kubernetes from 1.28 on; three minutes.
	@scripts/prerequisites python
	@scripts/tool charts-python scripts/helm-check

.PHONY: sim
sim: ## Play N (1000000) random sagas in memory, from SEED on (drawn), and judge each; seconds to minutes.
	@scripts/prerequisites build
	@cargo run --quiet --release -p simulation -- --sagas $(or $(N),1000000) $(if $(SEED),--seed $(SEED)) --report .run/reports/sim.json

.PHONY: chaos
chaos: ## Kill, freeze and cut everything under load for MINUTES (20), by SEED (drawn), and judge what is left.
	@scripts/prerequisites build stores
	@scripts/chaos-programs release
	@cargo run --quiet --release -p chaos -- run --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED)) --programs .run/chaos/release/with

.PHONY: chaos-smoke
chaos-smoke: ## The same for three minutes, with the programs of the tests.
	@scripts/prerequisites build stores
	@scripts/chaos-programs dev
	@"$${CARGO_TARGET_DIR:-target}/debug/chaos" run --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED)) --rate 12 --untimed --programs .run/chaos/dev/with --report .run/reports/chaos-smoke.json

.PHONY: planted-bugs
planted-bugs: ## Plant each of our bugs in turn, and see that the harness catches it; a quarter of an hour.
	@scripts/prerequisites build stores
	@scripts/chaos-programs release
	@cargo run --quiet --release -p chaos -- planted $(if $(SEED),--seed $(SEED)) --programs .run/chaos/release/with

.PHONY: drill
drill: ## Lose the database under load, restore it to a point, reconcile with the provider, audit; prints RPO and RTO.
	@scripts/prerequisites build stores
	@scripts/chaos-programs release
	@cargo build --quiet --release -p cli
	@cargo run --quiet --release -p chaos -- drill $(if $(SEED),--seed $(SEED)) --programs .run/chaos/release/without

.PHONY: deny
deny: ## Licences, bans, sources and known vulnerabilities of all dependencies.
	@scripts/supply-chain deny

.PHONY: overload
overload: ## Find the knee, offer 2, 5 and 10 times as much for a minute each (SECONDS), also with a slow provider.
	@scripts/prerequisites build stores
	@scripts/chaos-programs release
	@cargo run --quiet --release -p chaos -- overload --seconds $(or $(SECONDS),60) --programs .run/chaos/release/without

.PHONY: rolling
rolling: ## Replace each replica under load, ROUNDS times (10), then beside the build of PREVIOUS (HEAD~1); no call may fail.
	@scripts/prerequisites build stores
	@scripts/chaos-programs release
	@cargo build --quiet --package chaos
	@previous=$$(scripts/previous-programs $(or $(PREVIOUS),HEAD~1) release) && \
	  "$${CARGO_TARGET_DIR:-target}/debug/chaos" rolling --rounds $(or $(ROUNDS),10) --previous "$$previous"

.PHONY: fuzz
fuzz: ## Fuzz each decoder for FUZZ_SECONDS (60).
	@scripts/fuzz run

.PHONY: fuzz-smoke
fuzz-smoke: ## Fuzz each decoder for a few seconds.
	@scripts/fuzz smoke

.PHONY: sbom
sbom: ## A CycloneDX bill of materials for each binary (.run/reports/sbom).
	@scripts/supply-chain sbom

.PHONY: ci
ci: lint deny check-generated telemetry-rules compose-check test chaos-smoke helm-check edge-smoke ## What CI runs.
