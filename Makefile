# make demo     sets up .venv, trains CartPole and Space Invaders in three frameworks, proves them equal
# make test     sets up .venv if need be, lints, checks types, runs every test
# make install  the set-up alone
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test install lint format clean

demo: .venv/installed
	@$(BIN)/python -m triptych.cli.demo

test: lint
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

install: .venv/installed

format: .venv/installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python %d.%d is too old; allowed: 3.11 or newer" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv build *.egg-info
