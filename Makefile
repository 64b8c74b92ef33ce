# Every target makes what it needs in .venv; only python3, make and a package index have to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PAGE := detections export --shipped --format markdown --out docs/detections.md

.PHONY: demo test check bench render clean

demo: $(READY)
	@$(BIN)/orgmon demo

test: check
	@$(BIN)/pytest
	@$(BIN)/orgmon render --check
	@$(BIN)/orgmon detections test
	@$(BIN)/orgmon $(PAGE) --check

check: $(READY)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(READY)
	@$(BIN)/python -m benchmarks

render: $(READY)
	@$(BIN)/orgmon render
	@$(BIN)/orgmon schema > accounts.schema.json
	@$(BIN)/orgmon $(PAGE)

# A failed installation leaves no stamp, so that the next run tries again.
$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing orgmon into $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info
