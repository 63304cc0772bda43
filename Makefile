# Everything is done in an environment of its own, which is made again when pyproject.toml changes.
#
#   make PYTHON=/usr/bin/python3.12 test    in an environment that is there already; nothing is installed
#   make BASE_PYTHON=python3.13 setup       the environment is made with this interpreter
#   make VENV=/tmp/environment test         it is made elsewhere

VENV ?= .venv
PYTHON ?= $(VENV)/bin/python
BASE_PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if $(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo yes),$(name))))
WORKERS ?= auto

READY := $(VENV)/.ready
# With an interpreter of the caller's choice there is nothing to set up.
SETUP := $(if $(filter $(VENV)/bin/python,$(PYTHON)),$(READY))

.DEFAULT_GOAL := help
.PHONY: help setup test check format demo bench peers torture clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make the environment (Python 3.11 or later)

$(READY): pyproject.toml
	@test -n '$(BASE_PYTHON)' || { echo 'casvault needs Python 3.11 or later; name one: make BASE_PYTHON=…' >&2; exit 1; }
	rm -rf '$(VENV)'
	$(BASE_PYTHON) -m venv '$(VENV)' || { rm -rf '$(VENV)'; \
		echo 'python cannot make environments; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	'$(VENV)/bin/python' -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch '$@'

test: $(SETUP) ## run the tests
	$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal tests

check: $(SETUP) ## style, types and layers
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

format: $(SETUP) ## bring the source into shape
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

demo: $(SETUP) ## the main job on real files, step by step
	$(PYTHON) -m tests.demo

bench: $(SETUP) ## the benchmarks
	$(PYTHON) -m pytest --benchmark-only --benchmark-columns=median,iqr,min,max,rounds --benchmark-sort=fullname benchmarks

peers: $(SETUP) ## the same jobs done by git, restic and borg, where they are installed
	$(PYTHON) -m benchmarks.peers

torture: $(SETUP) ## the tests with larger bounds, and ten minutes of random input
	$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal -m torture tests

clean: ## remove what was made here, the environment too
	rm -rf '$(VENV)' build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find casvault tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
