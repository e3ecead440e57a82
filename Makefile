# One command for each thing a person does here; CI runs the same ones.
# Needs make, Python 3.11 or newer with venv, and pip's way to its packages. Nothing is installed outside .venv.

PYTHON ?= python3
# For a build that is to be the same next year, with its digest: BASE=python:3.14-slim-bookworm@sha256:...
BASE   ?= python:3.14-slim-bookworm
IMAGE  ?= corsproxy:latest

VENV := .venv
BIN  := $(VENV)/bin
# A stamp is as old as the last installation, so nothing is installed again until what it installs from is newer.
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-test
UV_STAMP  := $(VENV)/.installed-uv
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV  := $(BIN)/uv --quiet
# Only packages of uv.lock, only wheels, each checked by its hash.
LOCKED := --no-deps --only-binary :all: --require-hashes
# With the locked setuptools, so that this fetches nothing.
EDITABLE := --no-deps --no-build-isolation --editable .

# Tests start hundreds of processes from this environment: keep their bytecode, even if the image that this runs in
# disables that.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo check test pure-tests all-tests style types test-compiled test-built test-pythons coverage mutants wheel sdist release-check lint format fuzz soak bench docs lock latest sbom image image-multi image-test clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: $(RUN_STAMP) ## a legacy API, a page on another origin and the proxy between them, on loopback
	@$(BIN)/corsproxy demo

# Two workers more than the two cores that this is measured on: part of the time is waiting, for sockets and for processes.
# A file stays whole, as its tests share their processes.
PYTEST_ARGS ?= --numprocesses 4 --dist loadfile --no-loadscope-reorder
# What starts no process and no browser: the rules, the configuration, the pure parts of the data path, the tools.
# Little waits there, and each worker has to find all tests first: one more than two cores is enough.
PURE := -m 'not process and not browser' --numprocesses 3

# The types are checked beside the tests, as neither keeps two cores busy from its first second to its last.
check: style ## what to run before each commit: format, lint, types, and the tests that start no process
	@$(MAKE) --no-print-directory -j2 types pure-tests

test: style ## everything a reviewer runs: format, lint, types, tests
	@$(MAKE) --no-print-directory -j2 types all-tests

pure-tests: $(DEV_STAMP) ## the tests of `make check` alone
	HYPOTHESIS_PROFILE=check $(BIN)/python -m pytest --quiet $(PYTEST_ARGS) $(PURE)

all-tests: $(DEV_STAMP) ## the tests of `make test` alone
	$(BIN)/python -m pytest $(PYTEST_ARGS)

coverage: $(DEV_STAMP) ## the branches of the rules and of the configuration that their tests run, with a floor
	HYPOTHESIS_PROFILE=check $(BIN)/python -m pytest --quiet --cov --cov-fail-under=94 \
	  $(PYTEST_ARGS) tests/cors tests/config

test-pythons: $(UV_STAMP) ## rules, configuration and data path on every other Python from 3.11 to 3.14 that is here
	HYPOTHESIS_PROFILE=check $(BIN)/python scripts/pythons.py --numprocesses 2

# The tests that run compiled code most; what the rest runs is the same in both forms.
COMPILED_TESTS ?= tests/cors tests/proxy tests/security tests/server/test_form.py tests/acceptance/test_answers.py
# The C compiler optimizes nothing here, which takes half the time or less; `make wheel` tries what is released.
# mypyc throws into what it awaits in a way that Python 3.12 deprecates (mypyc issue 1214); a running proxy ignores it.
OF_MYPYC := ignore:the (type, exc, tb) signature of throw() is deprecated:DeprecationWarning

test-compiled: $(DEV_STAMP) ## the tests of the data path on the compiled form of the package (needs gcc and headers)
	rm -rf build/compiled
	CORSPROXY_COMPILE=1 CORSPROXY_OPT_LEVEL=0 $(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir build/compiled .
	$(BIN)/python scripts/compiled_tree.py build/compiled
	@$(MAKE) --no-print-directory test-built

test-built: ## the same on what the last `make test-compiled` has built
	cd build/compiled/tree && FORM_UNDER_TEST=compiled HYPOTHESIS_PROFILE=check \
	  "$(CURDIR)/$(BIN)/python" -m pytest $(PYTEST_ARGS) -W '$(OF_MYPYC)' $(COMPILED_TESTS)

# The compiled one for this Python and the pure one for every other; what is in dist/ was installed and tried.
wheel: $(DEV_STAMP) ## build the compiled and the pure wheel into dist/, install each alone and try it (needs gcc)
	rm -rf dist build/wheel
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	CORSPROXY_COMPILE=1 $(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	set -e; for form in pure compiled; do \
	  case $$form in pure) wheel=$$(ls dist/*-py3-none-any.whl);; *) wheel=$$(ls dist/*-cp*.whl);; esac; \
	  $(PYTHON) -m venv build/wheel/$$form; \
	  build/wheel/$$form/bin/pip --disable-pip-version-check install --quiet $(LOCKED) -r requirements/run.txt; \
	  build/wheel/$$form/bin/pip --disable-pip-version-check install --quiet --no-deps $$wheel; \
	  build/wheel/$$form/bin/python scripts/wheel_test.py $$form; \
	done

# MUTANTS='corsproxy.cors.effects*' for one module.
MUTANTS ?=
mutants: $(UV_STAMP) $(DEV_STAMP) ## break the pure modules in thousands of places, one at a time, and list what no test minds (hours)
	$(UV) pip install --python $(BIN)/python $(LOCKED) -r requirements/mutants.txt
	@# What it kept of other tests it would ask for by names that pytest does not find again.
	rm -rf mutants/tests mutants/mutmut-stats.json
	CORSPROXY_MUTANTS=1 HYPOTHESIS_PROFILE=check $(BIN)/mutmut run --max-children 2 $(MUTANTS)
	$(BIN)/mutmut results | grep -v ': not checked$$' || echo "no mutant survived"

sdist: $(DEV_STAMP) ## the source distribution into dist/
	$(BIN)/python -c 'from setuptools import build_meta; print("dist/" + build_meta.build_sdist("dist"))'

release-check: $(BIN)/python ## what keeps TAG=vX.Y.Z from being released
	$(BIN)/python scripts/release_check.py $(TAG)

lint: style types ## check format, lint rules and types

style: $(DEV_STAMP) ## check format and lint rules alone
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV_STAMP) ## check types alone
	$(BIN)/mypy

format: $(DEV_STAMP) ## format the sources and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(DEV_STAMP) ## every property, on hundreds of times as many examples
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m property $(PYTEST_ARGS)

soak: $(DEV_STAMP) ## ten minutes of steady traffic with reloads: memory and descriptors must stay where they were
	$(BIN)/python -m benchmarks.soak

# The peers, and corsproxy as people install it, are kept in benchmarks/.cache.
bench: $(RUN_STAMP) ## compare speed and memory with nginx, HAProxy, Envoy and others (BENCH_ARGS=... for the options)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: $(DEV_STAMP) ## write docs/cli.md again from the program's own help
	$(BIN)/python scripts/cli_reference.py docs/cli.md

lock: $(UV_STAMP) ## resolve pyproject.toml again into uv.lock and requirements/ (LOCK_ARGS=--upgrade for the newest)
	$(BIN)/python scripts/lock.py $(LOCK_ARGS)

latest: $(UV_STAMP) ## the tests on the newest version of everything; says what changed, and may well fail
	$(BIN)/python scripts/latest.py $(PYTEST_ARGS)

# All times in the image are those of the commit, so that two builds of it on one base have one digest.
EPOCH   = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct))
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' corsproxy/__init__.py)
LABELS  = --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --build-arg SOURCE=$(SOURCE)
REVISION ?= $(shell git rev-parse HEAD)
SOURCE ?=
PLATFORMS ?= linux/amd64 linux/arm64
# Options of this machine, as --network or --pull-never.
BUILDAH_ARGS ?=
# buildah's own version has no place in a digest.
BUILDAH_BUD = buildah bud --format docker --identity-label=false --timestamp $(EPOCH) $(BUILDAH_ARGS) \
  --build-arg BASE=$(BASE) $(LABELS)

image: ## build the container image (BASE=... for another base, IMAGE=... for another name)
	$(BUILDAH_BUD) --tag $(IMAGE) .
	$(PYTHON) scripts/steady_image.py $(IMAGE)

# One image for each platform under a separate name, then a manifest that lists them under the requested name.
image-multi: ## the image for amd64 and arm64 under one name (the other one is emulated: needs qemu-user-static)
	set -e; images=; for platform in $(PLATFORMS); do \
	  image=$(IMAGE)-$${platform##*/}; \
	  $(BUILDAH_BUD) --platform $$platform --tag $$image .; \
	  $(PYTHON) scripts/steady_image.py $$image; \
	  images="$$images containers-storage:$$image"; \
	done; \
	buildah manifest rm $(IMAGE) 2>/dev/null || buildah rmi $(IMAGE) 2>/dev/null || true; \
	buildah manifest create $(IMAGE) $$images

sbom: $(UV_STAMP) ## write build/sbom.cdx.json: what the image installs, from the lock, as CycloneDX
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m scripts.sbom build/sbom.cdx.json

image-test: ## build the image on a base made here, then run it confined (IMAGE_TEST_ARGS: --twice, another Debian mirror)
	$(PYTHON) scripts/image_test.py $(IMAGE_TEST_ARGS)

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'corsproxy needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo 'no virtual environment could be made; on Debian: apt-get install python3-venv' >&2; rm -rf $(VENV); exit 1; }

$(RUN_STAMP): pyproject.toml requirements/run.txt requirements/build.txt | $(BIN)/python
	$(PIP) install --quiet $(LOCKED) -r requirements/run.txt -r requirements/build.txt
	PYTHONWARNINGS=ignore $(PIP) install --quiet $(EDITABLE)
	@touch $@

$(UV_STAMP): requirements/lock.txt | $(BIN)/python
	$(PIP) install --quiet $(LOCKED) -r requirements/lock.txt
	@touch $@

# A hundred packages, for which uv needs a tenth of the time; where only pip is set up to reach them, pip it is.
$(DEV_STAMP): pyproject.toml requirements/dev.txt | $(BIN)/python $(UV_STAMP)
	$(UV) pip install --python $(BIN)/python $(LOCKED) -r requirements/dev.txt || \
	  $(PIP) install --quiet $(LOCKED) -r requirements/dev.txt
	PYTHONWARNINGS=ignore $(PIP) install --quiet $(EDITABLE)
	@touch $@ $(RUN_STAMP)
