# What a person does with a checkout. A machine with make and Python 3.11 or newer is all it takes:
# everything else goes into .venv, once.
#
#   make demo    see it: the simulated gateway, a walk through the guide, a bracket order, a chart
#   make test    check it: formatting, types, all tests
#   make conformance   prove it: every frame against IB's client, the gateway with four foreign clients (downloads
#                      three of them; needs Node.js for one); CONFORMANCE=--quick takes two minutes
#   make pythons   live everywhere: the stories and the hosts' tests on each of PYTHONS that is found
#   make bench   measure ibkit beside the other clients, for about an hour (downloads them); BENCH="--quick" and others
#
# PYTHON=python3.13 chooses the interpreter a new .venv is made with.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

PYTHONS := 3.11 3.12 3.13
# At the newest server version alone: what is on the wire does not depend on the interpreter.
EVERYWHERE := tests/hosts tests/links tests/scenarios tests/test_events.py -k 'not 176 and not 200 and not 213'

.PHONY: demo test lint types pytest pythons conformance bench format clean docs

demo: $(VENV)/.installed
	@$(BIN)/ibkit demo

test: lint types pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy
	$(BIN)/basedpyright

pytest: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(TESTS)

# Each in an environment of its own; on PATH or among pyenv's. "make test" has seen to the one of .venv.
pythons: $(VENV)/.installed-dev
	@said=""; for version in $(PYTHONS); do \
	    if $(BIN)/python -c "import sys; sys.exit(sys.version_info[:2] != ($${version%.*}, $${version#*.}))"; then continue; fi; \
	    found=""; for python in python$$version $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python; do \
	        if $$python -c 'import venv, ensurepip' 2>/dev/null; then found=$$python; fi; \
	    done; \
	    if [ -z "$$found" ]; then said="$$said\nPython $$version: not found, nothing ran"; continue; fi; \
	    $(MAKE) --no-print-directory pytest VENV=build/python$$version PYTHON=$$found TESTS="$(EVERYWHERE)" || exit 1; \
	    said="$$said\nPython $$version: passed"; \
	done; printf "$$said\n"

conformance: $(VENV)/.installed-dev
	$(BIN)/python -m conformance $(CONFORMANCE)

bench: $(VENV)/.installed
	$(BIN)/python -m bench $(BENCH)

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-out build/conformance

# The stamps say what .venv holds: the library with all extras, and then what the tests need.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing ibkit and what it needs into $(VENV) (once)"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable '.[all]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what the tests need into $(VENV) (once)"
	@$(PIP) install --group dev
	@touch $@

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "making $(VENV) with $$($$python --version)"; \
	        exec $$python -m venv $(VENV); \
	    fi; \
	done; \
	echo "Python 3.11 or newer with its venv module is needed (on Debian: apt install python3 python3-venv)" >&2; \
	exit 1
