# minikeras: `make demo` and `make test` work on a machine with Python 3.11+ and make.
#
#   make demo        train a small network on real digits and plot it
#   make test        the tests, without the slow ones (ARGS="-k dense" narrows them)
#   make test-slow   the slow ones
#   make check       format, lint, types, import contracts, sizes
#   make docs        the documentation, into docs/_build/html
#   make notebooks   execute the notebooks, into build/notebooks
#   make bench       the benchmarks (BENCH=table chooses one)
#   make setup       the environment alone, in .venv, with every developer tool
#   make lock        pin what .venv holds now in constraints.txt
#   make clean       remove what was built (make distclean: and .venv)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
RUN  := $(VENV)/bin
ARGS ?=
BENCH ?= $(notdir $(basename $(wildcard benchmarks/bench_*.py))) table growth
# pytest-xdist workers: `make test JOBS=0` runs the tests in one process.
JOBS ?= auto

WANTED := import hashlib, pathlib, tomllib; \
	asked = tomllib.loads(pathlib.Path("pyproject.toml").read_text()); \
	pins = pathlib.Path("constraints.txt").read_text(); \
	text = repr([asked["project"], asked["build-system"], pins]); \
	print(hashlib.sha256(text.encode()).hexdigest())

# The first Python that is 3.11 or newer and can make environments; PYTHON=... chooses.
CAN_SERVE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c '$(CAN_SERVE)' >/dev/null 2>&1 && echo "$$p" && break; done)

.PHONY: check-format check-lint check-types check-imports check-sizes
.PHONY: help demo test test-slow check format docs notebooks bench setup lock clean distclean
help:
	@sed -n '3,12s/^# \{0,1\}//p' Makefile

demo: $(VENV)/installed-demo
	$(RUN)/python examples/demo.py $(ARGS)

test: setup
	$(RUN)/python -m pytest -n $(JOBS) $(ARGS)

test-slow: setup
	$(RUN)/python -m pytest -n $(JOBS) --dist worksteal -m slow --durations=5 $(ARGS) || test $$? -eq 5 # 5: none yet

# Each gate is a target of its own: `make -k check` goes on after the first failure.
check: check-format check-lint check-types check-imports check-sizes
check-format: setup
	$(RUN)/ruff format --check .
check-lint: setup
	$(RUN)/ruff check .
check-types: setup
	$(RUN)/pyright
check-imports: setup
	$(RUN)/lint-imports --no-logo
check-sizes: setup
	$(RUN)/python tools/sizes.py

format: setup
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

docs: setup
	$(RUN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

notebooks: setup
	$(RUN)/python tools/notebooks.py $(ARGS)

bench: setup
	@for name in $(BENCH); do \
		echo "== $$name"; $(RUN)/python benchmarks/$$name.py $(ARGS); done

setup: $(VENV)/installed-dev

# installed-X stands for "pip install .[X]" with the pins. It holds what was asked for
# then, so that a new lint rule in pyproject.toml does not install everything again.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@wanted="$$($(RUN)/python -c '$(WANTED)')"; \
	if [[ ! -f $@ || "$$(cat $@)" != "$$wanted" ]]; then \
		echo "installing minikeras[$*] in $(VENV)"; \
		$(RUN)/python -m pip install --quiet --disable-pip-version-check \
			--constraint constraints.txt --editable '.[$*]'; \
	fi; \
	echo "$$wanted" > $@

# A half-made environment (Debian without python3-venv leaves one) is removed.
$(VENV)/bin/python:
	@"$(PYTHON)" -c '$(CAN_SERVE)' >/dev/null 2>&1 || { \
		echo "minikeras needs Python 3.11 or newer with its venv module" \
			"(on Debian: the package python3-venv); found none$(if $(PYTHON), at '$(PYTHON)')." \
			"Choose one by: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

lock: setup
	@{ sed -n '/^#/p' constraints.txt; $(RUN)/python -m pip freeze --exclude-editable; } \
		> constraints.new
	@mv constraints.new constraints.txt

clean:
	rm -rf build dist docs/_build .coverage .coverage.* htmlcov
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find minikeras tests tools examples docs benchmarks -name __pycache__ -type d \
		-prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean
	rm -rf $(VENV)
