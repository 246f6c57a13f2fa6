#!/usr/bin/env bash
# Prints `present` or `missing`: whether browser tests can run. As root on Debian it installs what they need.
# Everything else it says goes to stderr.
set -euo pipefail

has_chromium() { [[ -x /usr/bin/chromium ]]; }

has_chinese_font() {
  command -v fc-list >/dev/null && [[ -n $(fc-list :lang=zh-cn) ]]
}

if ! has_chromium || ! has_chinese_font; then
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "browser: installing chromium and Chinese fonts with apt-get" >&2
    apt-get update -qq >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fontconfig fonts-noto-cjk >/dev/null || true
  fi
fi

if has_chromium; then
  has_chinese_font || echo "browser: no Chinese font found; pictures will show boxes" >&2
  echo present
elif [[ ${CI:-} == true ]]; then
  echo "browser: chromium is missing, and a build machine must have it (apt-get install chromium fonts-noto-cjk)" >&2
  exit 1
else
  echo "browser: chromium is missing, so browser tests are skipped; to run them:" \
    "sudo apt-get install chromium fonts-noto-cjk" >&2
  echo missing
fi
