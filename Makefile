# make demo     sets up .venv without the test tools; CartPole in three frameworks until it is solved, a film of it, the proof, Space Invaders
# make test     sets up .venv if need be, lints, checks types, runs every test
# make install  the whole set-up alone
# make docs     the documentation as pages that open from disk: build/site/index.html
# make dist     wheel and source distribution, into dist/
# make test-browser  draws pages in Chromium, which must be installed
# make test-py312, make test-py313: the tests under another Python, in an environment of its own
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
TESTS ?= tests

.PHONY: demo test test-browser install lint format docs dist clean

demo: .venv/ready
	@$(BIN)/python -m triptych.cli.demo

test: lint
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

test-browser: .venv/installed
	@$(BIN)/python -m pytest -m browser

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

install: .venv/installed

format: .venv/installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .venv/installed
	@$(BIN)/python -m sphinx -c docs -W --keep-going -q . build/site
	@echo "build/site/index.html"

dist: .venv/installed
	@$(BIN)/python -m build --no-isolation

# What Triptych itself needs, in three frameworks: enough for the demo.
.venv/ready: pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python %d.%d is too old; allowed: 3.11 or newer" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]'
	@touch $@

.venv/installed: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# TESTS=tests/envs for some of them.
test-py3%:
	@python3.$* -c '' || { echo "python3.$* is not there; allowed: a Python of that version in the PATH"; exit 1; }
	python3.$* -m venv .venv-py3$*
	.venv-py3$*/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@.venv-py3$*/bin/python -m pytest $(TESTS)

clean:
	rm -rf .venv .venv-py3* build dist *.egg-info
