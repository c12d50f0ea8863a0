# Needs make, Python 3.11 or newer, and the package registries that pip is set up for. Everything else is installed
# into .venv.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The Python that .venv is made with: give it as `make PYTHON=/path/to/python`, or the newest one found is taken.
PYTHON ?=
PYTHONS := $(if $(PYTHON),$(PYTHON),python3.14 python3.13 python3.12 python3.11 python3)
SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# What the servers of the tests are made of is compiled once, also where Python is told to keep nothing of it.
test test-long check: export PYTHONDONTWRITEBYTECODE :=

# Tests that start neither a server nor a database.
QUICK := tests/domain tests/importers tests/analytics/statistics tests/api \
	tests/auth/test_form_tokens.py tests/auth/test_passwords.py tests/auth/test_secret_keys.py \
	tests/client/test_verify.py tests/client/test_verify_tree.py tests/evidence/test_signing.py \
	tests/test_architecture.py tests/test_docs.py tests/test_gates.py tests/test_memory.py tests/test_settings.py

# How pytest spreads over processes; `make test PARALLEL=` runs it in one.
PARALLEL ?= -n 2 --dist loadgroup

HOST ?= 127.0.0.1
PORT ?= 8000

# `make lock` moves a pin only where pyproject.toml asks for it; `make lock LOCK=--upgrade` moves all that it can.
LOCK ?=
UV := uv==0.13.9
COMPILE := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --annotation-style line

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve test test-long check lint format lock openapi architecture pictures screenshots bench clean install install-test chromium

help: ## show these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## serve a demo with runs to look at (in demo-data/)
	$(BIN)/runcard demo --data-dir demo-data --host $(HOST) --port $(PORT)

serve: install ## serve your own installation (in data/)
	$(BIN)/runcard serve --data-dir data --host $(HOST) --port $(PORT)

test: lint chromium ## lint, check types, run every test
	$(BIN)/pytest $(PARALLEL)

test-long: lint chromium ## the same, with many fresh examples of each property
	$(BIN)/pytest $(PARALLEL) --hypothesis-profile=long

check: lint ## lint, check types, run what needs no server
	$(BIN)/pytest $(PARALLEL) $(QUICK)

lint: install-test ## check style, imports, sizes and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python .ci/gates.py
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.10 client/src
	$(BIN)/vermin --quiet --no-tips --target=3.9- --violations client/src

format: install-test ## put code into the one form, mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .cache/lock/bin/uv ## pin dependencies anew, as pyproject.toml says
	$(COMPILE) $(LOCK) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(LOCK) pyproject.toml --extra otel --constraint requirements.lock --output-file requirements-otel.lock
	$(COMPILE) $(LOCK) pyproject.toml --extra otel --extra test --constraint requirements.lock --output-file requirements-test.lock

openapi: install-test ## write docs/api/openapi.json anew
	$(BIN)/python .ci/openapi.py

architecture: install-test ## draw docs/images/architecture.svg anew
	$(BIN)/python .ci/architecture.py

pictures: install-test ## draw docs/analytics/pictures anew
	$(BIN)/python .ci/pictures.py

screenshots: install-test chromium ## make pictures of every page of the demo (in screenshots/)
	$(BIN)/python .ci/screenshots.py

bench: install-test ## measure this machine
	$(BIN)/python bench/ingest.py

clean: ## remove .venv and all that tools leave; data stays
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

chromium:
	@.ci/chromium

install: $(VENV)/installed
install-test: $(VENV)/installed-test

$(VENV)/installed: $(BIN)/python pyproject.toml requirements.lock package-lock.json hatch_build.py
	$(PIP) --requirement requirements.lock
	$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements-test.lock client/pyproject.toml
	$(PIP) --requirement requirements-test.lock
	$(PIP) --no-deps --editable client
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if $$python -c '$(SUITABLE)' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)"; exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "No Python 3.11 or newer that can make virtual environments among: $(PYTHONS)." >&2; \
	echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python" >&2; \
	exit 1

.cache/lock/bin/uv: $(BIN)/python
	$(BIN)/python -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
