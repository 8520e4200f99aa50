PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --fork-strategy fewest \
	--no-header --no-annotate
RUNS := $(sort $(filter-out %.columns.yaml,$(wildcard parameters/runs/*.yaml)))

.PHONY: help setup tools report test fuzz lint bench calibrate notebooks schema golden pictures lock clean

help:  ## show these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: $(VENV)/ready  ## make .venv from requirements.lock, lyeval in it

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit('Python 3.11+ (make PYTHON=python3.12)' if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

tools: $(VENV)/tools  ## add to .venv what only tests and linters need, from requirements-dev.lock

$(VENV)/tools: $(VENV)/ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

report: setup  ## the main job: every run file on data/sample, into reports/
	$(BIN)/lyeval batch $(RUNS) --out reports

test: tools  ## every test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

fuzz: tools  ## thousands of damaged ledgers and plans: read rightly or told in words; a million rows written and read
	LYEVAL_FUZZ=2000 $(BIN)/python -m pytest tests/test_ledger_mixture.py tests/test_plan_mutants.py
	LYEVAL_FUZZ=400 $(BIN)/python -m pytest tests/test_ledger_hostile.py tests/test_cleaning.py -k "damaged or million"

lint: tools  ## ruff and pyright
	$(BIN)/ruff check lyeval tests
	$(BIN)/ruff format --check lyeval tests
	$(BIN)/pyright --pythonpath $(BIN)/python lyeval

bench: tools  ## speed, as ratios in one process
	$(BIN)/python tests/benchmarks/bench.py
	$(BIN)/python tests/benchmarks/effects.py

schema: setup  ## the JSON Schema of policy files, anew after a new field, fact, statistic or method
	$(BIN)/python -c "from lyeval.policy.model import write_schema; write_schema()"

golden: tools  ## the small run of reports/golden, anew after an intended change
	$(BIN)/python tests/golden.py

pictures: tools  ## the two pictures of the README, from the sample
	$(BIN)/python tests/pictures.py

notebooks: setup  ## execute the notebooks on their defaults and store the outputs
	$(BIN)/python -c "from lyeval.run import refresh, shipped_notebooks; refresh(shipped_notebooks())"

calibrate: tools  ## check the odds on 200 synthetic counties, into docs/validation.md
	$(BIN)/python tests/benchmarks/calibrate.py

lock: tools  ## resolve both locks anew, the second within the first
	$(COMPILE) --group install --output-file requirements.lock pyproject.toml
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean:  ## remove what was generated: of reports/ only what lyeval wrote and nobody changed
	$(or $(wildcard $(BIN)/python),$(PYTHON)) -m lyeval.run.outputs reports
	rm -rf .pytest_cache .ruff_cache .hypothesis
	test ! -f $(VENV)/ready || rm -rf $(VENV)
