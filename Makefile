# Everything here needs Python 3.11 or later and make; it sets up the rest under .venv, node_modules and var.
# Each step of the set-up leaves a stamp, so a second run is quick.

PORT ?= 8000
# Most tests wait for a process or a clock, so four keep two cores busy.
WORKERS ?= 4
BIN := .venv/bin
STAMPS := .venv/stamps
VENDOR := dashboard/static/vendor/htmx.min.js
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-strip-extras $(if $(UPGRADE),--upgrade)
# Where every branch must be seen by a test: what may happen to a purchase, and to the money.
COMPLETE := statemachine/*,orchestrator/placement.py,orchestrator/attempt.py,orchestrator/issuing.py,orchestrator/outcome.py,orchestrator/delivery.py,orchestrator/operation.py,orchestrator/journal.py,orchestrator/intent.py,orchestrator/note.py,orchestrator/stock.py,orchestrator/goods.py,orchestrator/sending.py,orchestrator/batch.py,orchestrator/in_turn.py,orchestrator/pricing.py,orchestrator/invoice.py,orchestrator/watch.py,orchestrator/checks.py,orchestrator/settlement.py,orchestrator/reconcile.py,orchestrator/stray.py,orchestrator/replay.py

# Where Python keeps no bytecode, each of our processes would compile everything anew, which takes as long as all else
# that its start does.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench audit simulate chaos endure fuzz conform mutate pictures translations format lock wheel clean

help: ## Say what there is to make
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: $(STAMPS)/runtime $(VENDOR) ## Start shop, orchestrator, dashboard and SEQR sandbox on this machine (PORT=8000)
	@exec $(BIN)/orchestrator demo --port $(PORT)

test: $(STAMPS)/dev $(VENDOR) ## Run every test, on SQLite and PostgreSQL, with coverage (WORKERS=4)
	@$(BIN)/python scripts/browser.py
	@mkdir -p var/coverage
	@$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report= tests/unit tests/integration
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/acceptance tests/browser
	@echo "Covered in all, in percent: $$($(BIN)/coverage report --format=total)"
	$(BIN)/coverage report --include='$(COMPLETE)' --omit='*/__main__.py' --fail-under=100

check: ## Check format, lint, types and architecture
	@$(MAKE) --no-print-directory --keep-going formatted linted typed layered neutral

.PHONY: formatted linted typed layered neutral
formatted: $(STAMPS)/dev
	$(BIN)/ruff format --check .

linted: $(STAMPS)/dev
	$(BIN)/ruff check .

typed: $(STAMPS)/dev
	$(BIN)/mypy

layered: $(STAMPS)/dev
	$(BIN)/lint-imports --no-logo

neutral: $(STAMPS)/dev
	$(BIN)/python scripts/neutrality.py

bench: $(STAMPS)/bench $(VENDOR) ## Run the benchmarks; figures go to var/bench (QUICK=1; ONLY=suite|start|workers|reconciler|viewers|dashboard|flat)
	@$(BIN)/python -m bench

simulate: WORKERS = 2
simulate: $(STAMPS)/dev ## Let everything go wrong around the orchestrator, seed by seed (SECONDS=60 WORKERS=2; SEED=n tells one)
	@$(BIN)/python -m simulation --seconds $(or $(SECONDS),60) --workers $(WORKERS) \
		$(if $(FROM),--from $(FROM)) $(if $(SEED),--seed $(SEED))

endure: $(STAMPS)/dev $(VENDOR) ## Pay 10,000 purchases in each way of notifying, on each database (COUNT, OPEN, RATE, MODE, DATABASE)
	@$(BIN)/python -m endurance $(if $(COUNT),--count $(COUNT)) $(if $(OPEN),--open $(OPEN)) $(if $(RATE),--rate $(RATE)) \
		$(if $(MODE),--mode $(MODE)) $(if $(DATABASE),--database $(DATABASE))

fuzz: $(STAMPS)/fuzz ## Throw bytes at createPurchase, SEQR's answers and the CSV import (SECONDS=60 TARGET=...; INPUT=file alone)
	@$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60) $(if $(TARGET),--target $(TARGET)) $(if $(INPUT),--input $(INPUT))

chaos: $(STAMPS)/dev ## Kill, freeze and cut off real processes under load; figures go to var/chaos
	$(BIN)/python -m pytest tests/chaos

conform: $(STAMPS)/dev $(VENDOR) ## Ask the HTTP interfaces all that their description allows and forbids (SECONDS=60, SEED, DATABASE)
	@$(BIN)/python -m conformance $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(DATABASE),--database $(DATABASE))

mutate: WORKERS = 2
mutate: $(STAMPS)/mutation ## Break the state machine and the settlement path in thousands of ways; 90 % must be noticed (ONLY='orchestrator.stock.*')
	@$(if $(ONLY),,rm -rf mutants)
	@$(BIN)/mutmut run --max-children $(WORKERS) $(if $(ONLY),'$(ONLY)')
	@$(BIN)/python -m scripts.mutation

pictures: $(STAMPS)/dev $(VENDOR) ## Take a picture of every page, wide and on a phone, light and dark, into var/pictures
	@$(BIN)/python scripts/browser.py
	@$(BIN)/python -m scripts.pictures

audit: $(STAMPS)/dev ## Fail when a locked package has a known vulnerability; say so when nobody can tell
	@$(BIN)/python -m scripts.audit

translations: $(STAMPS)/dev ## Bring the catalogues of translations up to date with the texts in the code
	@$(BIN)/python -m scripts.translations

format: $(STAMPS)/dev ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMPS)/dev ## Write the locks anew after a change of pyproject.toml or package.json (UPGRADE=1: newest versions)
	$(COMPILE) pyproject.toml --group build --output-file requirements.lock > /dev/null
	$(COMPILE) pyproject.toml --group dev --constraints requirements.lock --output-file requirements-dev.lock > /dev/null
	$(COMPILE) --group node --output-file requirements-node.lock > /dev/null
	$(COMPILE) --group fuzz --output-file requirements-fuzz.lock > /dev/null
	$(COMPILE) --group bench --constraints requirements-dev.lock --output-file requirements-bench.lock > /dev/null
	$(COMPILE) --group mutation --constraints requirements-dev.lock --output-file requirements-mutation.lock > /dev/null
	npm install --package-lock-only --ignore-scripts --no-audit --no-fund

wheel: $(STAMPS)/dev $(VENDOR) ## Build the wheel into dist
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what the set-up made; var, where the data is, stays
	rm -rf .venv node_modules dist dashboard/static/vendor mutants .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(STAMPS)/python: scripts/python.sh
	@python=$$(PYTHON='$(PYTHON)' sh scripts/python.sh) && echo "Making .venv with $$python" && "$$python" -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.lock pyproject.toml | $(STAMPS)/python
	@echo "Installing what the orchestrator needs (requirements.lock)"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q statemachine orchestrator dashboard sandbox
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/runtime
	@echo "Installing the tools for tests and checks (requirements-dev.lock)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(STAMPS)/fuzz: requirements-fuzz.lock $(STAMPS)/dev
	@echo "Installing the fuzzer (requirements-fuzz.lock)"
	@$(PIP) --require-hashes -r requirements-fuzz.lock
	@touch $@

$(STAMPS)/bench: requirements-bench.lock $(STAMPS)/dev
	@echo "Installing what the orchestrator is held against (requirements-bench.lock)"
	@$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@

$(STAMPS)/mutation: requirements-mutation.lock $(STAMPS)/dev
	@echo "Installing the tool that breaks the code (requirements-mutation.lock)"
	@$(PIP) --require-hashes -r requirements-mutation.lock
	@touch $@

$(VENDOR): package-lock.json scripts/vendor.py requirements-node.lock | $(STAMPS)/python
	@echo "Fetching the browser libraries (package-lock.json)"
	@$(BIN)/python scripts/vendor.py
