# Every target sets itself up: `.venv` with s3dash and its tools is made on the first call.
#   make demo [ARGS=--check]     make test     make check     make accept     make screenshots
#   make bench [ARGS="--save FILE ROW…"]    side by side with rclone, s5cmd and aws, and alone; `--from FILE` shows it again
#   make bench-quick    1,000 files, in under 90 seconds
#   make bench-screen [ARGS="--quick --json SCENE…"]    the screen's numbers, on a real terminal
#   make reliability [SEED=N]    every fault, crash, schedule and input, at length; `make test` tries a few

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
ACCEPT ?= ../shared/accept
ARGS ?=
COVERAGE ?= --cov --cov-report=term
SEED ?= $(shell date +%Y%m%d)

BIN := .venv/bin
STAMP := .venv/.stamp
PEERS := .venv-bench/.stamp
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PIP_PEERS := .venv-bench/bin/python -m pip --disable-pip-version-check -qq
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: help demo test check accept reliability screenshots bench bench-quick bench-screen
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

# An older pip reads no dependency groups: it is brought up to date inside the venv first.
$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "s3dash needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	@echo "setting up .venv" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --editable ".[demo,otel,web]" --group dev
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m s3dash demo $(ARGS)

test: $(STAMP)
	@$(PYTEST) $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST) -W error $(COVERAGE) --ignore=tests/reliability

accept: $(STAMP)
	@if [ ! -d "$(ACCEPT)" ]; then echo "there is no $(ACCEPT) here: nothing to accept"; exit 0; fi; \
	failed=0; \
	for check in "$(ACCEPT)"/[0-9]*; do \
		name=$$(basename "$$check"); \
		if line=$$($(BIN)/python "$$check" 2>&1); then echo "ok   $$name: $$line"; \
		else echo "FAIL $$name: $$line"; failed=1; fi; \
	done; \
	exit $$failed

reliability: $(STAMP)
	@$(PYTEST) tests/reliability tests/engine --full --seed $(SEED) --timeout 3600 $(ARGS)

screenshots: $(STAMP)
	@$(BIN)/python -m s3dash.demo.screenshots

# The programs that s3dash is measured against: in an environment of their own.
$(PEERS): pyproject.toml
	@test -n "$(PYTHON)" || { echo "s3dash needs Python 3.11 or newer; set PYTHON=..." >&2; exit 1; }
	@echo "setting up .venv-bench" >&2
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@$(PIP_PEERS) install --upgrade "pip>=25.1"
	@$(PIP_PEERS) install --group peers
	@touch $@

bench: $(STAMP) $(PEERS)
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-quick: $(STAMP) $(PEERS)
	@$(BIN)/python -m benchmarks.bench --quick $(ARGS)

bench-screen: $(STAMP)
	@$(BIN)/python -m benchmarks.screen $(ARGS)
