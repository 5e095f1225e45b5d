# One command to set up, one to check all: `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin/python
# Two workers: the machine to plan for has two cores.
WORKERS ?= 2
PORT ?= 8080

.PHONY: help setup native engine test check format docs demo up bench versions units help-law clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make .venv with locked packages; builds native/ where Rust is present
	@sh tools/setup.sh

native: $(RUN)  ## build the Rust crate again after a change
	@$(RUN) tools/setup.py native

engine: $(RUN)  ## build the CometBFT engine into .tools; ENGINE=v0.40.0 for the other one
	@$(RUN) -m tools.engine $(ENGINE)

test: $(RUN)  ## run every test
	@$(RUN) -m pytest -n $(WORKERS) --dist loadgroup -m "not alone" $(ARGS)
	@$(RUN) -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]  # 5: ARGS chose none of them

check: $(RUN)  ## static checks: lint, format, types, layers
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(RUN)  ## put the code in its format
	$(VENV)/bin/ruff check --fix-only --quiet
	$(VENV)/bin/ruff format

docs: $(RUN)  ## generate docs/reference and docs/privacy.md from the code
	@$(RUN) -m tools.reference
	@$(RUN) -m tools.privacy

demo: $(RUN)  ## a birth, from notification to a verified and then superseded certificate, in var/demo
	@$(RUN) -m kerege.testing.demo

up: $(RUN)  ## a fictitious raion with pages and API on http://127.0.0.1:8080/, in var/up; PORT=8081 for another
	@$(RUN) -m kerege.testing.first_minute --port $(PORT)

bench: $(RUN)  ## print the benchmark table
	@$(RUN) -m benchmarks

versions: $(RUN)  ## compare state roots over the Python versions that the machine has
	@$(RUN) -m tools.versions

units: $(RUN)  ## run deploy/systemd under a living systemd, as root, in a throw-away root of its own
	@$(RUN) -m tools.units

help-law: $(RUN)  ## count the legal bases of the nation pack that nobody has verified
	@$(RUN) -m tools.law

clean:  ## remove what setup, demo and builds made
	rm -rf $(VENV) .tools var native/target dist build

$(RUN):
	@$(MAKE) --no-print-directory setup
