# Two commands for a newcomer: `make demo` and `make test`. Everything they set up stays in this checkout.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null | grep True),$(name))))
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
ARGS ?=
# One more than a small machine's two cores: a third of the time a test waits for processes that it started or killed.
WORKERS ?= 3
export WORKERS

.PHONY: help demo serve test rooms crash ledgers kills storm bench docs check-style check-types check-imports check-docs tests clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: .venv/.ready  ## set everything up and run the main job, ERP to partner and back (ARGS="--json ...")
	@$(BIN)/collecthub demo $(ARGS)

serve: .venv/.ready  ## open the portal on the demo's state
	@COLLECTHUB_HOME=.collecthub/demo $(BIN)/collecthub serve $(ARGS)

test: .venv/.ready  ## set everything up and pass every check and test (ARGS="..." goes to pytest)
	@.ci/checks $(ARGS)

tests: .venv/.ready  ## only pytest
	@$(BIN)/pytest -q --durations=10 -n $(WORKERS) --dist worksteal $(ARGS)

rooms: .venv/.ready  ## only the tests of rooms, model and law, in seconds: properties with a fifth of their examples
	@$(BIN)/pytest -q --rooms tests $(ARGS)

crash: .venv/.ready  ## the proof under kill -9 in full: 30 random kills of each run (COLLECTHUB_KILLS), on both databases
	@COLLECTHUB_KILLS=$${COLLECTHUB_KILLS:-30} $(BIN)/pytest -q --durations=4 -n $(WORKERS) --dist worksteal -m crash tests/crash $(ARGS)

ledgers: .venv/.ready  ## a million random ledgers conserve money to the cent (COLLECTHUB_LEDGERS)
	@COLLECTHUB_LEDGERS=$${COLLECTHUB_LEDGERS:-1000000} $(BIN)/pytest -q --timeout 0 tests/money/test_account.py -k conserve $(ARGS)

kills: .venv/.ready  ## 200 kills of the SFTP sender and 200 of sshd's sessions over 12,000 dispatches; prints lost, duplicate and corrupt
	@COLLECTHUB_SFTP_KILLS=200 COLLECTHUB_SFTP_FILES=12000 $(BIN)/pytest -q tests/crash/test_sftp_kills.py $(ARGS)

storm: .venv/.ready  ## ten thousand processes ask Exact Online for a token at once and many of them are killed; prints the pairs lost
	@$(BIN)/python plugins/erp_exact/tests/refresh_storm.py --requests 10000 --together 50 --kills 0.7

bench: .venv/.ready  ## measure side by side against a bare loop and peers
	@$(BIN)/python -m bench $(ARGS)

docs: .venv/.ready  ## write the generated pages and schemas
	@$(BIN)/collecthub docs

check-style: .venv/.ready  ## ruff
	@$(BIN)/ruff check

check-types: .venv/.ready  ## mypy --strict on the core and every plugin
	@$(BIN)/mypy

check-imports: .venv/.ready  ## import contracts: layers, rooms, plugins, twins
	@$(BIN)/lint-imports

check-docs: .venv/.ready  ## generated pages and schemas are what the code says
	@$(BIN)/collecthub docs --check

clean:  ## remove what was set up here (the state in .collecthub stays)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# One environment for demo and tests. The stamp is younger than everything that says what belongs into it. The build
# tool is installed once, pinned like the rest, instead of once more for each of the distributions.
.venv/.ready: pyproject.toml constraints.txt $(addsuffix /pyproject.toml,$(PLUGINS))
	@if [ -z "$(PYTHON)" ]; then \
	    echo "collecthub needs Python 3.11 or newer and found none; install it or say: make PYTHON=/path/to/python3" >&2; \
	    exit 3; \
	fi
	@echo "setting up .venv with $$($(PYTHON) --version) (once; takes a minute)" >&2
	@$(PYTHON) -m venv .venv || { \
	    echo "this Python cannot create a virtual environment; on Debian and Ubuntu install python3-venv" >&2; exit 3; }
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation -e '.[soap,xml,sftp,openpgp,mailbox,files,sandbox,test]' $(addprefix -e ./,$(PLUGINS))
	@$(BIN)/python -m compileall -q -j 0 src $(PLUGINS)  # once, even where Python is told to write no bytecode
	@touch $@
