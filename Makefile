# Every target installs what it needs; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080
# Tests that listen in real time: not beside those that take a whole core each.
REAL_TIME := tests/integration/transport tests/integration/worker tests/integration/egress \
	$(addprefix tests/e2e/test_, bad_network.py crashes.py evening.py recording.py relays.py \
	stage.py standard_clients.py talk.py transports.py)

.PHONY: help up demo check test containers cloud audit fuzz crash soak bench fmt lock

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

up: .venv/up  ## Start everything on loopback; HOST=<address> serves a phone over TLS
	@$(BIN)/python -m infra.local up --port $(PORT) $(if $(HOST),--host $(HOST))

demo: .venv/dev  ## A live Space with two synthetic speakers and 50 listeners
	@$(BIN)/python -m tests.demo --port $(PORT)

check: .venv/dev  ## Format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# It starts some hundred processes: each would compile all there is anew.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev  ## All tests, short seeded versions
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(REAL_TIME:%=--ignore=%)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(REAL_TIME)

containers: export CONTAINERS_CONF ?= $(CURDIR)/tests/containers/containers.conf
containers: .venv/dev  ## Build both images, run them under podman, talk through NAT
	infra/containers/build.sh
	$(BIN)/python -m pytest -m containers tests/containers

cloud: .venv/cloud/ready  ## Check the cloud's program against Pulumi's mocks
	.venv/cloud/bin/python -m pytest tests/cloud

audit: .venv/audit/ready  ## Known vulnerabilities; lists of all components in build/
	.venv/audit/bin/python -m infra.security.audit

fuzz: .venv/dev  ## Fuzz the wires and the API; compare our Firestore with Google's
	$(BIN)/python -m tests.fuzz.media
	$(BIN)/python -m tests.fuzz.api --steps 10000
	$(BIN)/python -m tests.fuzz.firestore --operations 10000

crash: .venv/dev  ## Kill Firestore, recorders and renders at random instants
	$(BIN)/python -m tests.crash.firestore --kills 300
	$(BIN)/python -m tests.crash.recording --kills 100

soak: .venv/dev  ## 15 minutes of Spaces under faults; judges SLOs, writes build/soak.json
	$(BIN)/python -m tests.soak

bench: .venv/bench  ## Measure; prints a table and writes build/bench.json
	$(BIN)/python -m tests.benchmarks

fmt: .venv/dev  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/lock  ## Compile the hash-locked requirements from pyproject.toml
	infra/lock.sh $(BIN)/uv

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parley needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "parley.pth").write_text("\n".join(str(pathlib.Path(p).resolve()) for p in (".", "functions")))'

.venv/up: .venv/bin/python infra/local/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r infra/local/requirements.txt
	@touch $@

.venv/dev: .venv/bin/python tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@ .venv/up

# PESQ comes as C source; without a compiler the bench leaves speech quality out.
.venv/bench: .venv/dev tests/benchmarks/requirements.txt
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/benchmarks/requirements.txt; \
	then touch $@; else echo "PESQ could not be built: make bench leaves speech quality out"; fi

.venv/cloud/ready: infra/cloud/requirements.txt
.venv/audit/ready: infra/security/requirements.txt
.venv/cloud/ready .venv/audit/ready: .venv/bin/python
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

.venv/lock: .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@
