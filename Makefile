# Everything that CI and a new user need. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= dev
BIN := $(VENV)/bin
comma := ,
STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))

.PHONY: help install demo format lint types test test-slow test-engines test-gpu check fuzz mutate torture golden wheel bench docs benchmark-docs gallery clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@# setuptools' notice that an editable install is one says nothing to its user
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@# pip compiles one file after the other, packages' own tests too; this uses all cores
	@PYTHONWARNINGS=ignore $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true  # templates are no Python
	@touch $(STAMP)

install: $(STAMP)  ## install gantext into .venv (EXTRAS=dev,frechet: with the sentence encoder)

demo: $(STAMP)  ## train a small GAN on the embedded data, show samples and scores
	$(BIN)/gantext train experiment=demo

format: $(STAMP)  ## format the code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

lint: $(STAMP)  ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## check types
	$(BIN)/mypy

test: $(STAMP) lint types  ## lint, types and all quick tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

test-slow: $(STAMP)  ## the checks that train for minutes
	OMP_NUM_THREADS=1 $(BIN)/pytest -m slow

# One node of SLURM, which the tests start themselves; without it, or not as root, they skip its cases.
SLURM := slurmctld slurmd slurm-client munge
test-engines: $(STAMP)  ## sweeps on each engine that is installed and runs by torchrun, killed and gone on with
	@which slurmctld slurmd sbatch munged >/dev/null || apt-get install -qq -y --no-install-recommends $(SLURM) \
		|| echo "SLURM cannot be installed here: its cases are skipped"
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),tune,ray,wandb]'
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m engines tests/engines

test-gpu:  ## the checks that need a real NVIDIA GPU, with whatever torch PYTHON has (PYTHON=python3)
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -m gpu tests/test_gpu.py

mutate: $(STAMP)  ## do the tests notice wrong numbers? 300 random changes, an hour (SEED=1 COUNT=300)
	$(BIN)/python -m tests.mutation --seed $(or $(SEED),1) --count $(or $(COUNT),300)

FUZZ ?= 300
fuzz: $(STAMP)  ## damaged files, odd values of configs and odd command lines at random (FUZZ=300 seconds)
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -s tests/fuzz -k at_length --fuzz $(FUZZ)

golden: $(STAMP)  ## write the golden losses and signatures anew (say why in the CHANGELOG)
	OMP_NUM_THREADS=1 $(BIN)/pytest -q tests/models/test_golden.py tests/cli/test_eval.py --golden

CHAINS ?= 100
SEED ?= 1
torture: $(STAMP)  ## kill runs at random moments, go on, compare their ends (CHAINS=100 SEED=1)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture --chains $(CHAINS) --seed $(SEED)

wheel: $(STAMP)  ## build the wheel into dist/
	$(BIN)/python -m build --wheel

ROWS ?=
bench: $(STAMP)  ## speed and memory in one table, 5 minutes (ROWS=gan,bleu; KEEP=1 into the history; CHECK=1 against it; DEVICE=cuda)
	OMP_NUM_THREADS=1 $(BIN)/python -m bench $(if $(ROWS),--rows $(ROWS)) $(if $(DEVICE),--device $(DEVICE)) $(if $(KEEP),--keep) $(if $(CHECK),--check)

docs: $(STAMP)  ## write the glossary and the reference of the configuration anew, build the site into build/site
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),docs]'
	$(BIN)/python -m docs.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

benchmark-docs: $(STAMP)  ## write docs/benchmark.md and the methods' rows of it anew, from bench/records alone
	$(BIN)/python -m docs.benchmark

gallery: $(STAMP)  ## make the pictures of docs/gallery.md anew from small runs, minutes (with chromium: the report too)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),docs]'
	$(BIN)/python -m docs.screens

clean:  ## remove the virtual environment and build products
	rm -rf $(VENV) build dist *.egg-info
