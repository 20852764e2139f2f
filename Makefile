# The commands of this project. `make` alone lists them.
SHELL := /bin/bash
BIN := .venv/bin
PACKAGES := sandbox transforms tap-salesforce-ikaroa target-xero
SANDBOX_PORT ?= 8790
PUBSUB_PORT ?= 8791
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help install demo sandbox sandbox-reset test test-fast test-e2e kill bench lint format definitions pins clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

install: ## prepare .venv (pinned, hash-checked); every other command does this by itself
	@tools/bootstrap.sh

demo: install ## Salesforce to Xero on the built-in sandbox, start to finish, with what arrived
	@$(BIN)/python -m tools.demo

sandbox: install ## keep the sandbox running where the default environment looks for it
	@mkdir -p output/sandbox
	@$(BIN)/ikaroa-sandbox serve --port $(SANDBOX_PORT) --pubsub-port $(PUBSUB_PORT) --seed 1 --state output/sandbox/state

sandbox-reset: install ## forget the sandbox's data, its ledger and its bookmarks
	@rm -rf output/sandbox
	@$(BIN)/meltano --log-level=error state clear --force sandbox:tap-salesforce-ikaroa-to-target-xero 2>/dev/null || true
	@echo 'The sandbox, its ledger and its bookmarks are as new.'

test: install ## every test: fast ones first, then real processes and sockets
	@echo "== fast tests"
	@$(BIN)/python -m pytest -q -n logical -m "not e2e and not foreign and not kill"
	@echo "== real processes, sockets and foreign clients"
	@$(BIN)/python -m pytest -v -n logical -m "e2e or foreign or kill" --durations=10

test-fast: install ## the tests that need no process and no socket (under a minute)
	@$(BIN)/python -m pytest -q -n logical -m "not e2e and not foreign and not kill"

test-e2e: install ## only the tests with real processes and sockets
	@$(BIN)/python -m pytest -v -n logical -m "e2e or foreign or kill" --durations=10

bench: install ## the project's figures, one JSON line each (NAME=target-load for one group)
	@$(BIN)/python -m bench $(NAME)

lint: install ## ruff and mypy, nothing changed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@for p in $(PACKAGES); do $(BIN)/mypy $$p/src || exit 1; done
	@$(BIN)/mypy tools

format: install ## ruff, fixing what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

definitions: install ## write plugins/ and the settings in meltano.yml anew from the plugins' --about
	@$(BIN)/python -m tools.definitions

pins: install ## write requirements/*.txt anew (after changing a pyproject.toml)
	@requirements/compile.sh

clean: ## remove what the commands above made
	rm -rf .venv .venvs .tools .meltano output .pytest_cache .mypy_cache .ruff_cache .hypothesis
