# Two commands do everything: `make demo` and `make test`. Both need only Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin
TEST_PROCESSES ?= 2
PYTEST = PYTHONPATH=$(CURDIR)/crates_free_src OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist worksteal
SOURCES := $(shell find crates_free_src examples -name '*.py' -o -name '*.parquet' -o -name '*.sql')

# Idle OpenMP threads that spin take whole minutes from whoever shares the processors.
export OMP_WAIT_POLICY := PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-slow lint bench-import clean

demo: .venv/installed
	$(BIN)/frazil demo

test: lint
	$(PYTEST) -m 'not slow'

test-slow: .venv/installed-test
	$(PYTEST) -m slow

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench-import: .venv/installed-test
	PYTHONPATH=$(CURDIR)/crates_free_src $(BIN)/python benchmarks/import_cost.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis demo

$(BIN)/pip:
	$(PYTHON) -m venv .venv

# The demo runs what a user would install; the tests run the checkout (PYTHONPATH), so only new requirements matter to them.
.venv/installed: $(BIN)/pip pyproject.toml constraints.txt $(SOURCES)
	$(BIN)/pip install --quiet --constraint constraints.txt .
	@touch $@

.venv/installed-test: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt '.[test]'
	@touch $@
