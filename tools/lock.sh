#!/usr/bin/env bash
# Writes requirements/run.txt and requirements/dev.txt from pyproject.toml: every release pinned, the hashes of
# all its files, no registry named. Pins stay as they are unless UPGRADE=1 or pyproject.toml asks for others.
set -euo pipefail
cd "$(dirname "$0")/.."
uv_version=0.13.9

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "uv==$uv_version"

upgrade=()
[[ ${UPGRADE:-} == 1 ]] && upgrade=(--upgrade)

compile() { # output, then further arguments
  local output=$1
  shift
  if [[ -f $output ]]; then cp "$output" "$scratch/lock.txt"; else : >"$scratch/lock.txt"; fi
  # The machine's own package sources stay out: what is locked must be what everyone can fetch.
  env -u UV_FIND_LINKS -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_DEFAULT_INDEX -u UV_INDEX_URL \
    "$scratch/venv/bin/uv" pip compile --no-config --quiet --universal --python-version 3.11 \
    --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
    "${upgrade[@]}" "$@" -o "$scratch/lock.txt"
  {
    echo "# Written by make lock from pyproject.toml and requirements/build.in. Do not edit by hand."
    cat "$scratch/lock.txt"
  } >"$output"
  echo "lock: $output, $(grep -c == "$output") packages"
}

compile requirements/run.txt pyproject.toml requirements/build.in
compile requirements/dev.txt pyproject.toml requirements/build.in --group dev -c requirements/run.txt
