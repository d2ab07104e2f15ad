# `make` prints this index. `make up` and `make test` are all a newcomer needs.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# native: private Postgres and Redis from the installed packages, services as
# plain processes. docker: everything in containers.
STACK ?= native

.PHONY: help
help: ## Print this index.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## Start the whole shop on this machine and print what to try.
	@STACK=$(STACK) scripts/stack up

.PHONY: down
down: ## Stop the shop; its data stays.
	@scripts/stack down

.PHONY: ps
ps: ## Show what runs.
	@scripts/stack ps

.PHONY: logs
logs: ## Follow the logs; NAME=order-service for one.
	@scripts/stack logs $(NAME)

.PHONY: demo
demo: ## A confirmed order, a declined card, out of stock, a cancel; each with its timeline.
	@.run/bin/cartwright demo

.PHONY: clean
clean: ## Stop the shop and delete its data and logs (.run).
	@scripts/stack clean

.PHONY: test
test: ## Unit, property and integration tests, on a private Postgres and Redis.
	@scripts/prerequisites build stores python
	cargo build --workspace --bins
	cargo test --workspace

.PHONY: lint
lint: ## Formatting, clippy, protos, scripts, generated files.
	@scripts/prerequisites build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	scripts/lint-contract
	scripts/lint-scripts

.PHONY: generate
generate: ## Write the generated files anew (after a change of proto/).
	cargo run --quiet -p api --example generate

.PHONY: check-generated
check-generated: generate ## Prove that the generated files are fresh.
	@git diff --exit-code --stat -- crates/api/src/gen || \
	  { echo "crates/api/src/gen is stale: run 'make generate' and commit" >&2; exit 1; }

.PHONY: deny
deny: ## Licences, bans and sources of all dependencies (needs cargo-deny).
	cargo deny --all-features check bans licenses sources

.PHONY: ci
ci: lint check-generated test ## What CI runs.
