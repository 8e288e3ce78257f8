# `make demo` and `make test` set up what they need in .venv and run; nothing else is touched.

PYTHON ?= python3
SCALE ?= 1000
VENV ?= .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/python -m uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml

.DEFAULT_GOAL := demo
.PHONY: demo test lint bench setup setup-demo lock help clean
.NOTPARALLEL:  # two goals at once would write into one .venv

# What of a lock file is not there yet, and the project itself; asks the registry for nothing that is not pinned.
define installed
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Salur needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endef

$(VENV)/.ready-run: pyproject.toml requirements.lock
	$(call installed,requirements.lock)
	touch $@

$(VENV)/.ready-dev: pyproject.toml requirements-dev.lock
	$(call installed,requirements-dev.lock)
	touch $@ $(VENV)/.ready-run  # what runs is among what builds and tests, at the same versions

demo: $(VENV)/.ready-run  ## Record the 2020 case in demo-ledger and print its reports; SCALE=100 pays ten times as many
	@$(BIN)/salur demo --scale $(SCALE)

test: setup  ## Run the tests; TESTS=tests/cli runs those
	@$(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

lint: setup  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## Measure speed as ratios against a peer and a limit in the same run; SIZE=1000000 pays so many
	$(BIN)/python -m benchmarks $(SIZE)

setup: $(VENV)/.ready-dev  ## Make .venv with what builds and tests, pinned; PYTHON=python3.13 VENV=.venv-3.13 makes another

setup-demo: $(VENV)/.ready-run  ## Make .venv with what runs, pinned, and nothing else

lock: setup  ## Pin what pyproject.toml asks for, with hashes and without naming a host; UPGRADE=--upgrade pins all anew
	$(COMPILE) $(UPGRADE) --all-extras -o requirements-dev.lock
	$(COMPILE) $(UPGRADE) --extra checkout --constraint requirements-dev.lock -o requirements.lock

help:  ## This list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

clean:  ## Remove all that the goals above made
	rm -rf $(VENV) demo-ledger demo-ledger-keys demo-files .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
