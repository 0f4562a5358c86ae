# Zhitong: `make demo` shows it, `make test` proves it. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# Tests wait a lot, for servers and browsers: three for every two cores.
WORKERS = $(shell $(PYTHON) -c 'import os; print(3 * os.cpu_count() // 2)')

# Python compiles what it imports; to compile everything beforehand takes longer.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

# Tests start the program hundreds of times: it must not be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench chaos screenshots servers lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: $(VENV)/run.stamp ## Play the demo (ARGS=--once, ARGS="--broker amqp://… --database postgresql+asyncpg://…")
	@$(BIN)/zhitong demo $(ARGS)

# What tests need comes from two places, at once.
test: ## Run all tests on servers of their own (ARGS="-k envelope")
	@$(MAKE) --no-print-directory --jobs 2 $(VENV)/dev.stamp servers
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev.stamp ## Formatter, linter, types, import contracts, file sizes, compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.checks
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: $(VENV)/dev.stamp ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp servers ## Measure on servers of its own (ARGS=--quick); writes build/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(VENV)/dev.stamp servers ## Break real servers under load and count (ARGS="--minutes 5", ARGS="--schedules 1000")
	@$(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(VENV)/dev.stamp servers ## Take pictures of every page into build/screenshots (ARGS="--only item --screens 360 --themes light")
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

# After the virtual environment, for which the system's packages may be needed as well.
servers: | $(BIN)/python
	@$(PYTHON) -m tests.servers.install

lock: $(VENV)/dev.stamp ## Pin the newest versions of requirements/*.in, with hashes
	$(BIN)/python -m pip install --quiet uv
	for name in run dev; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
			--no-emit-index-url --no-emit-find-links --no-header \
			--output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

clean: ## Remove everything that was made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Debian's Python comes without venv: install it where we may, or say what to install.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Zhitong needs Python 3.11 or newer; call make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || sh deploy/install-venv.sh
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what a node needs (once) …"
	@$(INSTALL) --require-hashes -r requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing what tests need (once) …"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
