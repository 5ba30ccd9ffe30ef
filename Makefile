# `make help` lists the targets. Recipes only name things; what they do is in infra/local and infra/checks.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE := 1

TOOLBOX := $(PYTHON) infra/local/toolbox.py
STACK := .venv/local/bin/python infra/local/stack.py

.PHONY: help dev dev-up dev-down dev-reset dev-logs emit invoke reconcile redrive trace export import openapi build test \
	test-rust test-flow test-browser soak sabotage mutants fuzz fuzz-api bench package deploy invite copy-back aws-up \
	aws-down licenses check lint fmt python tools local-tools browser-tools check-tools deploy-tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: build local-tools ## Run everything on this machine, in the foreground; Ctrl-C stops it and keeps the state
	@$(STACK) dev

dev-up: build local-tools ## The same in the background; also brings a running stack up to date
	@$(STACK) up

dev-down: local-tools ## Stop it and keep the state
	@$(STACK) down

dev-reset: local-tools ## Stop it and wipe the state
	@$(STACK) reset

dev-logs: local-tools ## The functions' log lines of the last ten minutes
	@$(STACK) logs

emit: local-tools ## Put an event on the running stack's bus: EVENT=events/bus/....json [DETAIL='{"field": ...}']
	@.venv/local/bin/python infra/local/send.py --detail '$(DETAIL)' "$(EVENT)"

invoke: local-tools ## Call a function of the running stack: FUNCTION=public-capture EVENT=events/http/....json
	@.venv/local/bin/python infra/local/send.py --function "$(FUNCTION)" "$(EVENT)"

reconcile: local-tools ## Prove that counters and figures agree with the ledger, and correct them: [ORGANIZATION=org_...] [STAGE=prod]
	@.venv/local/bin/python infra/local/reconcile.py $(if $(ORGANIZATION),"$(ORGANIZATION)")

redrive: local-tools ## Give dead letters and poison another try: [STAGE=prod]
	@.venv/local/bin/python infra/local/redrive.py

trace: local-tools ## Every log line about one referral: ID=rcpt_... (or ref_..., evt_..., a request's id) [HOURS=24] [STAGE=prod]
	@.venv/local/bin/python infra/local/trace.py $(if $(HOURS),--hours "$(HOURS)") "$(ID)"

export: local-tools ## All referrals as one file: FILE=referrals.csv [FILTER='status=CONVERTED'] [API=https://... TOKEN=...]
	@.venv/local/bin/python infra/local/export.py --filter "$(FILTER)" "$(FILE)"

import: local-tools ## Bring referrals over from a file: FILE=referrals.csv [DRY_RUN=1] [API=https://... TOKEN=...]
	@.venv/local/bin/python infra/local/import_file.py $(if $(DRY_RUN),--dry-run) "$(FILE)"

openapi: tools ## Write the OpenAPI documents anew, from the code
	@UPDATE_OPENAPI=1 cargo test --workspace --locked --quiet --bin referrals-api --bin public-capture committed_document

build: tools ## Build the functions and the operator's tool
	@cargo build --workspace --locked
	@$(PYTHON) infra/local/assets.py

test: test-rust test-flow ## Every test but those in a browser

test-rust: build ## Rules, stores, races and faults, on an embedded store
	cargo test --workspace --locked --quiet --no-fail-fast

test-flow: build local-tools ## The store contract and whole flows, on the deployed template
	@.venv/local/bin/python infra/local/flow.py

test-browser: build browser-tools ## The form and the widget in headless Chromium: [TESTS=infra/browser/test_....py]
	@.venv/local/bin/python infra/local/flow.py --browser

soak: local-tools ## The long forms of the tests that meet chance: [PART=storm] [SEED=...]
	@.venv/local/bin/python infra/local/soak.py $(if $(PART),--part "$(PART)") $(if $(SEED),--seed "$(SEED)")

sabotage: python ## Break what trust stands on, in a copy, and see a test fail for each: [ONLY=outbox]
	@$(PYTHON) infra/checks/sabotage.py $(if $(ONLY),--only "$(ONLY)")

mutants: python ## Small changes of the domain, and whether its tests notice each: [ONLY=domain/text.rs]
	@$(PYTHON) infra/local/mutants.py $(if $(ONLY),--re "$(ONLY)")

fuzz: python ## The parsers against bytes that nobody thought of, with nightly: [MINUTES=10] [TARGET=contact]
	@$(PYTHON) infra/local/fuzz.py $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(TARGET),--target "$(TARGET)")

fuzz-api: build local-tools ## The API against its OpenAPI documents, at length: [SEED=...] [EXAMPLES=100]
	@.venv/local/bin/python infra/local/flow.py --fuzz

bench: local-tools ## What a release build costs, judged by the budgets: [FUNCTION=public-capture]
	@.venv/local/bin/python infra/bench/bench.py $(if $(FUNCTION),--function "$(FUNCTION)")

package: deploy-tools ## The functions as Lambda runs them, a zip for each: [ARCH=x86_64|arm64]
	@.venv/deploy/bin/python infra/deploy/package.py $(if $(ARCH),"$(ARCH)")

deploy: deploy-tools ## What was packaged, onto AWS: STAGE=prod [CONFIRM=1] [REPLACE=RateLimitTable] (infra/docs/DEPLOY.md)
	@.venv/deploy/bin/python infra/deploy/deploy.py

# NAME is taken from the command line only: some systems have a variable of that name, with the machine's in it.
invite: deploy-tools ## A member and their login: STAGE= EMAIL= ORGANIZATION=org_... NAME= [ROLE=OWNER] (infra/docs/DEPLOY.md)
	@cargo build --locked --quiet --package referrals-admin
	@$(if $(filter command,$(firstword $(origin NAME))),,NAME=) .venv/deploy/bin/python infra/deploy/invite.py

copy-back: deploy-tools ## A restored table's items, back into the ledger: STAGE=prod FROM=<table> [OVERWRITE=1] [DELETED=1]
	@.venv/deploy/bin/python infra/deploy/copy_back.py

aws-up: local-tools ## The local AWS with nothing on it, to try a deployment: STACK_DIR=.local/deploy STACK_PORT=4720
	@.venv/local/bin/python infra/local/empty_aws.py up

aws-down: local-tools ## Stop it and keep the state
	@.venv/local/bin/python infra/local/empty_aws.py down

licenses: tools ## Write the page of what ships in the functions and under which licences
	@$(PYTHON) infra/checks/licenses.py

check: check-tools ## Formatting, lints, docs, dependencies, template
	@$(PYTHON) infra/checks/check.py

lint: check-tools ## The linters of `check` only
	@$(PYTHON) infra/checks/check.py --lint

fmt: check-tools ## Format Rust and Python
	@cargo fmt --all
	@.venv/checks/bin/ruff --config infra/checks/ruff.toml format --no-cache --quiet infra

python:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is missing. Install Python 3.11 or newer" >&2; exit 1; }

tools: python
	@$(TOOLBOX)

local-tools: python
	@$(TOOLBOX) local

browser-tools: python
	@$(TOOLBOX) local browser
	@$(PYTHON) infra/browser/chromium.py

check-tools: python
	@$(TOOLBOX) checks --cargo-deny

deploy-tools: python
	@$(TOOLBOX) deploy
