# Each target does its own set-up: `make demo` works in a fresh clone with Python >= 3.11 and pip.
# CPU-only wheels on Linux: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= dev
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
JOBS ?= 2

.PHONY: help demo test train lint
help:
	@echo "make demo    three edits of the bundled photos, and the evaluation table, into outputs/demo/"
	@echo "make test    the whole test suite, by two processes; other numbers: make test JOBS=4"
	@echo "make train   python train.py +experiment=dfnet; more settings: make train ARGS='seed=1'"
	@echo "make lint    ruff"

demo: $(INSTALLED)
	$(BIN)/python scripts/demo.py $(ARGS)

test: $(INSTALLED)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

train: $(INSTALLED)
	$(BIN)/python train.py +experiment=dfnet $(ARGS)

lint: $(INSTALLED)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than Python 3.11; name another: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@
