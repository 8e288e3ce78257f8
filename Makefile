# `make demo` and `make test` set up what they need in .venv and run; nothing else is touched.

PYTHON ?= python3
SCALE ?= 1000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test setup lint lock bench clean

$(VENV)/.ready: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Salur needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

setup: $(VENV)/.ready  ## Make .venv with the pinned dependencies

demo: setup  ## Record the 2020 case in demo-ledger and print its reports
	@$(BIN)/salur demo --scale $(SCALE)

test: setup  ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

lint: setup  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## Measure speed as ratios against a peer and a limit in the same run; SIZE=1000000 pays so many
	$(BIN)/python -m benchmarks $(SIZE)

lock:  ## Pin all dependencies anew, with hashes and without naming a host
	$(BIN)/python -m uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --all-extras \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo-ledger demo-ledger-keys demo-files .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
