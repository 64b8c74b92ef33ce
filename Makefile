# Every target makes what it needs in .venv; only python3, make and a package index have to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := requirements-dev.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PAGE := detections export --shipped --format markdown --out docs/detections.md

.PHONY: demo test quick fuzz clients check bench docs render lock clean

# The tests that start no sandbox and take less than half a second; they have to cover the product by themselves.
QUICK := -m "not slow" tests --ignore tests/sandbox --ignore tests/whole

demo: $(READY)
	@$(BIN)/orgmon demo

test: check
	@$(BIN)/pytest -n 2 $(QUICK) --cov --cov-report= --cov-fail-under 90
	@for part in execute plan aws; do \
		$(BIN)/coverage report --include "orgmon/$$part/*" --fail-under 90 >/dev/null || \
		{ $(BIN)/coverage report --show-missing --include "orgmon/$$part/*"; exit 1; }; done
	@$(BIN)/pytest -n 3 -m "slow or sandbox"
	@$(BIN)/orgmon render --check
	@$(BIN)/orgmon detections test
	@$(BIN)/orgmon $(PAGE) --check

quick: $(READY)
	@$(BIN)/pytest -n 2 $(QUICK)

# The laws, each with thirty times the examples.
fuzz: $(READY)
	@ORGMON_LAWS=30 $(BIN)/pytest -n 2 tests/test_compile.py tests/test_forwarding.py tests/test_planner.py \
		tests/test_replay.py tests/test_rule_format.py

# Other people's programs against a rollout; each has an environment of its own. CLIENT names some of them.
clients: $(READY)
	@$(BIN)/python -m tests.clients $(CLIENT)

check: $(READY)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(READY)
	@$(BIN)/python -m benchmarks

docs: $(READY)
	@$(BIN)/python docs/drawing.py > docs/overview.svg
	@$(BIN)/python docs/conditions.py > docs/conditions.md
	@$(BIN)/python docs/recording.py > docs/demo.md.new && mv docs/demo.md.new docs/demo.md

render: $(READY)
	@$(BIN)/orgmon render
	@$(BIN)/orgmon schema > accounts.schema.json
	@$(BIN)/orgmon $(PAGE)

# A failed installation leaves no stamp, so that the next run tries again.
$(READY): pyproject.toml $(LOCK)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing orgmon into $(VENV) ..." >&2
	@$(PIP) --require-hashes --requirement $(LOCK)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Which versions the environment has, for every platform and with their hashes.
lock:
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command 'make lock' --extra dev --output-file $(LOCK) pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info
