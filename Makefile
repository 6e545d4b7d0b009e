# What a newcomer types. Every target sets up what it needs in .venv with pip alone.

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/pip install --quiet --disable-pip-version-check
# An ordinary Linux machine without a GPU saves gigabytes with: make test TORCH='torch --index-url URL of its CPU builds'
TORCH  ?= torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check format model recipe clean

help:            ## Say what can be made
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp per kind of installation: it is made again when pyproject.toml changes.
$(VENV)/.run: $(BIN)/python pyproject.toml
	$(PIP) -e .
	@touch $@

# torch first, so that its version is chosen here and not by what depends on it.
$(VENV)/.develop: $(BIN)/python pyproject.toml
	$(PIP) $(TORCH)
	$(PIP) -e '.[train,dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.corpus: $(VENV)/.develop
	$(PIP) -e '.[train,dev,corpus]'
	@touch $@

$(VENV)/.heads: $(VENV)/.corpus
	$(PIP) -e '.[train,dev,corpus,heads]'
	@touch $@

demo: $(VENV)/.run    ## Set up and write out/demo.mp4 from a portrait, a voice and a sentence
	$(BIN)/instructavatar demo --output out/demo.mp4

# Nets that only `evaluate` uses. Without them its tests of identity and emotion are skipped, and say so.
$(VENV)/.extras: $(VENV)/.develop
	$(BIN)/instructavatar assets --fetch sface facex efficientnet_lite0 --to $(VENV)/weights && touch $@ || echo 'not fetched: tests that need these nets are skipped'

test: export INSTRUCTAVATAR_WEIGHTS = $(abspath $(VENV))/weights
test: $(VENV)/.develop $(VENV)/.extras    ## Set up and run every fast test, the linter and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m 'not slow and not gpu' --durations=8 --cov=instructavatar --cov-report=term:skip-covered

check: test    ## The same as test

test-slow: $(VENV)/.develop    ## The tests that take minutes
	$(PIP) -e '.[train,dev,cluster]'
	$(BIN)/python -m pytest -m 'slow and not gpu'

format: $(VENV)/.develop    ## Format and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

model: $(VENV)/.corpus    ## Make the corpus, train the default generator and export it (about 70 minutes; the same command resumes)
	$(BIN)/instructavatar prepare --base configs/corpora/puppet.yaml --output data/puppet
	$(BIN)/instructavatar prepare --base configs/corpora/tiny.yaml --output data/tiny
	OMP_WAIT_POLICY=PASSIVE $(BIN)/instructavatar train --base configs/motion/default.yaml --logdir runs/default --extra data.params.store=data/puppet
	$(BIN)/instructavatar export runs/default --output runs/default/bundle --probe data/tiny --model_name puppet-1

# Each stage goes on where it was, and is over at once when it is done.
recipe: $(VENV)/.heads    ## The whole story in small: films, codec, latents, generator, a page of results (about 80 minutes; the same command resumes)
	$(BIN)/python tools/build_portraits.py --people 28 --out data/people
	$(BIN)/instructavatar prepare --base configs/corpora/puppet_video.yaml --output data/puppet_video
	$(BIN)/instructavatar train --base configs/codec/two_encoder_vae_tiny.yaml --logdir runs/recipe_codec --extra data.params.store=data/puppet_video
	$(BIN)/instructavatar export runs/recipe_codec --output runs/recipe_codec/bundle
	$(BIN)/instructavatar prepare --output data/puppet_video --only latents --codec runs/recipe_codec/bundle
	OMP_WAIT_POLICY=PASSIVE $(BIN)/instructavatar train --base configs/motion/latents_tiny.yaml --logdir runs/recipe_motion --extra data.params.store=data/puppet_video
	$(BIN)/instructavatar export runs/recipe_motion --output runs/recipe_motion/bundle --codec runs/recipe_codec/bundle
	$(BIN)/python benchmarks/recipe.py --store data/puppet_video --model runs/recipe_motion/bundle --page out/recipe

clean:    ## Remove outputs, builds and caches; the environment, data/ and runs/ stay
	rm -rf out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage
