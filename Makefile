# The commands of this project. `make` alone lists them.
SHELL := /bin/bash
BIN := .venv/bin
PACKAGES := sandbox transforms tap-salesforce-ikaroa target-xero
SANDBOX_PORT ?= 8790
PUBSUB_PORT ?= 8791
FAST := not slow and not e2e and not foreign and not kill
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo sandbox sandbox-reset test test-fast test-e2e kill bench histories histories-planted fuzz planted machine crashes coverage lint format definitions pins clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

install: ## prepare .venv (pinned, hash-checked); every other command does this by itself
	@tools/bootstrap.sh

demo: install ## Salesforce to Xero on the built-in sandbox, start to finish, with what arrived
	@$(BIN)/python -m tools.demo

sandbox: install ## keep the sandbox running where the default environment looks for it
	@mkdir -p output/sandbox
	@$(BIN)/ikaroa-sandbox serve --port $(SANDBOX_PORT) --pubsub-port $(PUBSUB_PORT) --seed 1 --state output/sandbox/state

sandbox-reset: install ## forget the sandbox's data, its ledger and its bookmarks
	@rm -rf output/sandbox
	@$(BIN)/python -m tools.sandbox_reset http://127.0.0.1:$(SANDBOX_PORT)
	@$(BIN)/meltano --log-level=error state clear --force sandbox:tap-salesforce-ikaroa-to-target-xero 2>/dev/null || true
	@echo 'The sandbox, its ledger and its bookmarks are as new.'

test: install ## every test: fast ones first, then real processes and sockets
	@echo "== fast tests"
	@$(BIN)/python -m tools.fast_tests "$(FAST)"
	@echo "== whole runs, real processes, sockets and foreign clients"
	@$(BIN)/python -m pytest -v -n logical --dist worksteal -m "not ($(FAST))" --durations=10

test-fast: install ## the tests that need no process, no socket and no second of time (under a minute)
	@$(BIN)/python -m tools.fast_tests "$(FAST)"

histories: install ## seeded histories of an org that changes while it is read (N=10000 FIRST=0), or one told in full (SEED=123)
	@$(BIN)/python -m tests.histories.fuzz $(if $(SEED),--seed $(SEED),--seeds $(or $(N),10000) --first $(or $(FIRST),0))

histories-planted: install ## mistakes of taps switched on one by one: the histories must catch each (writes the table in docs/proof.md)
	@$(BIN)/python -m tests.histories.planted --seeds $(or $(SEEDS),300)

test-e2e: install ## the others: whole runs, real processes and sockets, clients of others, kills
	@$(BIN)/python -m pytest -v -n logical --dist worksteal -m "not ($(FAST))" --durations=10

bench: install ## the project's figures, one JSON line each (NAME=target-load for one group)
	@$(BIN)/python -m bench $(NAME)

fuzz: install ## schedules of what can go wrong, by seed (SEEDS=10000 FIRST=0), or one told in full (SEED=123)
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.proof.fuzz $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000) --first $(or $(FIRST),0))

planted: install ## bad designs switched on one by one: the schedules must catch each (writes the table in docs/proof.md)
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.proof.planted --seeds $(or $(SEEDS),2000)

machine: install ## hypothesis looks for an order of events that loses or doubles something (500 examples of 50 steps)
	@HYPOTHESIS_PROFILE=large $(BIN)/python -m pytest -q --timeout=0 tests/proof/test_machine.py

crashes: install ## the process ends at every point of every flow, and at every two of them; says how many schedules
	@$(BIN)/python -m pytest -q target-xero/tests/execute/test_crash_schedules.py

kill: install ## 300 real SIGKILLs and SIGTERMs of target, tap and Meltano, each followed by a rerun (a share of them in `make test`)
	@KILLS=$(or $(KILLS),240) $(BIN)/python -m pytest -v -n logical -m kill tests/e2e

COVERED := $(BIN)/python -m coverage run --parallel-mode --branch --source=target_xero.ledger,target_xero.execute \
	-m pytest -q -m "not e2e and not foreign and not kill"
coverage: install ## every branch of the ledger and the executor, outcome table included
	@$(BIN)/python -m coverage erase
	@$(COVERED) $(addprefix target-xero/tests/,execute ledger guards plan/test_planner.py) & other=$$!; \
	 $(COVERED) $(addprefix target-xero/tests/,singer commands xero); mine=$$?; wait $$other && exit $$mine
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --show-missing --skip-covered --fail-under=100

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
