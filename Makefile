# make demo   install, convert samples with the models in this repository, write sounds, MIDI and pictures
# make test   install, check style and types, run the tests
# make docs   build the documentation as a site into build/docs; warnings are errors
# make bench  measure training and conversion on this machine, write bench.json
# make house  draw the rooms of the package and their imports: ARCHITECTURE.md, docs/pictures/house.png
# make lock   write the versions that are installed here to .ci/constraints.txt, which .ci/run installs

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo house test lint docs bench install lock clean

demo: $(VENV)/installed
	$(BIN)/audiocycle demo voice
	$(BIN)/audiocycle demo music

test: $(VENV)/installed-dev lint
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# Not --quiet: what is not shown is not counted as a warning.
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	$(BIN)/python docs/tools/check_site.py build/docs

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks

house: $(VENV)/installed
	$(BIN)/python docs/tools/house.py

install: $(VENV)/installed

lock: $(VENV)/installed-dev $(VENV)/installed-docs
	{ echo '# Versions that the tests passed with, written by make lock. torch has its range only: which build there is depends on the machine.'; \
	$(BIN)/python -m pip freeze --exclude-editable | sed -n 's/^\([A-Za-z0-9._-]*==[^+@ ]*\).*/\1/p' | grep -Eiv '^(torch|triton|nvidia-.*|cuda-.*)=='; \
	} > .ci/constraints.txt

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "audiocycle needs Python 3.11 or newer; make PYTHON=python3.12"'
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) audiocycle-demo build
