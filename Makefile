# Two commands matter: `make demo` runs Aegis, `make test` proves it. Both need Python 3.11 or newer and a package index.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
export PORT ?= 8000
WORKERS ?= 2
PYTEST := $(BIN)/pytest -q
# Where nothing compiled is kept, every worker writes all tests anew before its first.
unexport PYTHONDONTWRITEBYTECODE
# A pip of 2023, as Python 3.11 brings it along, takes three times as long to find the same packages.
PIP := pip==26.3
# Python compiles what is used when it is used: the rest is most of what comes in packages.
PIP_INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --no-compile

.PHONY: help bench demo setup test lint format typecheck check chromium collect test-sqlite test-postgres clean

help: ## List these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

demo: $(VENV)/.installed staticfiles/staticfiles.json ## Import all sources and serve Aegis at http://127.0.0.1:8000 (PORT=)
	@$(BIN)/python manage.py demo

setup: $(VENV)/.installed-dev ## Make .venv with everything that development needs

test: ## Everything: style, types, layers, deployment, both databases, browser
	@$(MAKE) -j2 setup chromium
	@$(MAKE) -j2 --output-sync=target typecheck collect lint check
	@$(MAKE) test-sqlite
	@$(MAKE) test-postgres

lint: $(VENV)/.installed-dev ## Style and layers: ruff, import-linter
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## Put the code in shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

typecheck: $(VENV)/.installed-dev ## Types: mypy, strict
	@$(BIN)/mypy .

# The environment of a server, with values that are right in form: the checks look at settings, and open nothing.
check: export DATABASE_URL := sqlite://:memory:
check: export SECRET_KEY := only-for-the-checks-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ
check: export JWT_SIGNING_KEY := only-for-the-checks-9876543210-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ
check: export AUDIT_HMAC_KEY := only-for-the-checks-5647382910-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ
check: export ALLOWED_HOSTS := aegis.example.org
check: export AEGIS_HTTPS := true
check: export DEBUG := false
check: $(VENV)/.installed-dev ## Migrations complete, deployment checks silent
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check --deploy --fail-level WARNING

# The engine without windows is the quicker one; where it cannot be had, any Chromium does.
chromium: APT := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y
chromium: ## Chromium for the browser tests, where this machine can have it
	@command -v chromium-headless-shell >/dev/null \
	|| { $(APT) chromium-headless-shell; } &>/dev/null \
	|| command -v chromium chromium-browser google-chrome >/dev/null \
	|| { $(APT) chromium; } &>/dev/null \
	|| echo 'No Chromium here: the browser tests will be skipped. On Debian: apt-get install chromium-headless-shell'

collect: $(VENV)/.installed-dev ## Every file of tests can be read, and is compiled once for all who run them
	@found=$$($(PYTEST) --collect-only) || { echo "$$found"; exit 1; }

test-sqlite: $(VENV)/.installed-dev ## The whole suite, on SQLite
	@AEGIS_TEST_DATABASE_URL= $(PYTEST) -n $(WORKERS) --dist loadgroup

test-postgres: $(VENV)/.installed-dev ## The tests that touch the database, on PostgreSQL (DATABASE_URL, or one started for them)
	@$(BIN)/python bin/with_postgres.py $(PYTEST) -n $(WORKERS) --dist loadgroup -m 'database and not browser and not one_database'

bench: $(VENV)/.installed-dev staticfiles/staticfiles.json ## Speed and memory, as ratios in one run (AEGIS_MIRROR)
	@$(BIN)/python bin/bench.py

clean: ## Remove what was made here, but not the data in var/
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@[[ -n "$(PYTHON)" ]] || { echo 'Aegis needs Python 3.11 or newer; name it with PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'Could not make $(VENV) (on Debian: apt-get install python3-venv)' >&2; exit 1; }
	@$(PIP_INSTALL) '$(PIP)' || echo 'The index has no $(PIP): going on with the one at hand, which takes longer.'

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo 'Installing what Aegis needs into $(VENV) ...'
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo 'Installing what its tests need ...'
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

staticfiles/staticfiles.json: $(VENV)/.installed $(shell find static -type f 2>/dev/null)
	@$(BIN)/python manage.py collectstatic --noinput -v 0
