# Everything happens in .venv, which is made on demand. The stamps inside it say what has been installed.
#   make tour    the main job on real input, with only what it needs
#   make test    all tests
#   make lint    style, formatting and types
#   make bench   timings, as JSON
#   make docs    the pictures and generated pages of the documentation, from the program itself

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := requirements/constraints-test.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: tour test lint style types format bench docs browser tex compiler clean
.DELETE_ON_ERROR:

tour: $(VENV)/.installed-tour
	$(BIN)/pullback tour

test: $(VENV)/.installed-test browser tex compiler
	$(BIN)/python -m pytest

lint: style types

style: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-test
	$(BIN)/python bench/run.py

docs: $(VENV)/.installed-test browser
	$(BIN)/python tools/pictures.py
	$(BIN)/python tools/operations.py
	$(BIN)/python tools/emitting.py
	PYTHONPATH=. $(BIN)/python tools/screenshot.py

# A browser for the tests of the page, only where none is there.
browser:
	@tools/browser.sh >/dev/null

# TeX for the tests of LaTeX, only where none is there.
tex:
	@tools/tex.sh >/dev/null

# A C compiler for the tests of emitted C, only where none is there.
compiler:
	@command -v cc >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi; \
	  $$as_root apt-get update -qq && $$as_root apt-get install -y -qq gcc libc6-dev; }

# Where Python came without ensurepip (Debian splits it off), the pip that is there fills the environment.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pullback needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@touch $@

$(VENV)/.installed-tour: $(VENV)/.created pyproject.toml $(CONSTRAINTS)
	@echo "installing pullback and what the tour needs into $(VENV)" >&2
	@$(PIP) install --constraint $(CONSTRAINTS) --editable '.[tour]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed-tour
	@echo "installing what the tests need into $(VENV)" >&2
	@$(PIP) install --constraint $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
