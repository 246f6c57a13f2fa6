#!/usr/bin/env bash
# Runs every test but the long ones, measures coverage and holds it to the gate.
# Usage: tools/test.sh [PROCESSES]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

KABAO_BROWSER=$(tools/browser.sh)
export KABAO_BROWSER
chosen="not soak"
if [[ $KABAO_BROWSER == missing ]]; then
  chosen="not soak and not browser"
fi

rm -f .coverage .coverage.* build/coverage.json
mkdir -p build
"$bin/pytest" -n "${1:-2}" --dist loadfile -m "$chosen" --cov --cov-report=

# Servers that tests started write files of their own; those that ended after pytest's summing up come here.
if compgen -G '.coverage.*' >/dev/null; then
  "$bin/coverage" combine --quiet --append || echo "coverage: some data files could not be read" >&2
fi
"$bin/coverage" json --quiet -o build/coverage.json
"$bin/python" tools/coverage_gate.py build/coverage.json
