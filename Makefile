# Every command a person or a build machine needs. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

DATA ?= data
PORT ?= 8080
WORKERS ?= 2
BIN := .venv/bin

.PHONY: help run test lint types fmt soak screenshots lock clean setup setup-dev

help: ## print this list
	@echo "kabao: escrow, sealed card keys and fair refunds"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  Variables: DATA=$(DATA) (data folder), PORT=$(PORT), WORKERS=$(WORKERS) (test processes)"

run: setup ## set up, then serve a small market (what is in an existing DATA folder stays)
	@exec $(BIN)/kabao demo --data "$(DATA)" --port "$(PORT)"

test: lint types ## set up, then lint, types and every test with coverage
	@tools/test.sh "$(WORKERS)"

lint: setup-dev ## ruff, formatting, import layers, shell syntax
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }
	@for script in .ci/run tools/*.sh; do bash -n "$$script"; done
	@echo "lint: ok"

types: setup-dev ## mypy --strict over the product and its tools
	@$(BIN)/mypy
	@$(BIN)/mypy tools

fmt: setup-dev ## format and repair what ruff can repair
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

soak: setup-dev ## the long runs (minutes to hours)
	@$(BIN)/pytest -m soak --timeout 0

screenshots: setup-dev ## take the pictures in docs/ anew (needs chromium)
	@[ "$$(tools/browser.sh)" = present ]
	@$(BIN)/python tools/screenshots.py

lock: ## write requirements/*.txt anew (UPGRADE=1 takes newer releases)
	@tools/lock.sh

clean: ## remove .venv, caches and build results; data folders stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@rm -f .coverage .coverage.*
	@find src tests tools -type d -name __pycache__ -prune -exec rm -rf {} +

setup:
	@tools/setup.sh run

setup-dev:
	@tools/setup.sh dev
