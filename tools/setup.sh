#!/usr/bin/env bash
# Makes .venv and installs the locked dependencies and kabao itself. Does nothing when that is done already.
# Usage: tools/setup.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?usage: tools/setup.sh run|dev}
[[ $kind == run || $kind == dev ]] || { echo "usage: tools/setup.sh run|dev" >&2; exit 2; }
lock=requirements/$kind.txt
venv_python=.venv/bin/python

# What an installation was made from. The folder counts: a virtual environment breaks when it is moved.
stamp_of() { # kind
  { pwd; cat "requirements/$1.txt" pyproject.toml; } | sha256sum
}

is_current() { # kind
  [[ -x $venv_python && -f .venv/.kabao-$1 && $(<".venv/.kabao-$1") == "$(stamp_of "$1")" ]]
}

# dev.txt holds everything that run.txt holds.
if is_current "$kind" || { [[ $kind == run ]] && is_current dev; }; then
  exit 0
fi

as_root_with_apt() { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; }

apt_install() {
  echo "setup: installing $* with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Prints the first Python that is new enough. A name may exist and still fail to run, so each is run.
find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

if ! python=$(find_python); then
  as_root_with_apt && apt_install python3 python3-venv
  python=$(find_python) || {
    echo "setup: kabao needs Python 3.11 or newer. On Debian 12: sudo apt-get install python3 python3-venv" >&2
    exit 1
  }
fi

# Debian ships `venv` without ensurepip until python3-venv is installed.
has_ensurepip() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

make_venv() {
  if ! has_ensurepip && as_root_with_apt; then
    apt_install python3-venv
  fi
  if has_ensurepip; then
    "$python" -m venv --clear .venv
  elif "$python" -c 'import virtualenv' 2>/dev/null; then
    "$python" -m virtualenv --quiet --clear .venv
  else
    echo "setup: $python cannot make a virtual environment." >&2
    echo "setup: install what is missing, then run make again:  sudo apt-get install python3-venv" >&2
    exit 1
  fi
}

made_here() { # a moved or half-made environment is made anew
  [[ -x $venv_python ]] &&
    "$venv_python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    grep -qsF "$PWD/.venv" .venv/bin/activate
}

made_here || make_venv

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0
rm -f ".venv/.kabao-$kind"
echo "setup: installing the locked dependencies of $lock (a minute or two the first time)"
"$venv_python" -m pip install --quiet --require-hashes -r "$lock"
# The build backend comes from the lock too, so nothing unpinned is fetched.
"$venv_python" -m pip install --quiet --no-deps --no-build-isolation -e .
stamp_of "$kind" >".venv/.kabao-$kind"
echo "setup: done"
