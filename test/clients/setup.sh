#!/bin/sh
# Makes one Python environment per pinned version of the real AIStore SDK, below .cache/. Safe to run again: an
# environment whose requirements have not changed is left alone.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
for requirements in "$root"/test/clients/requirements-*.txt; do
  version=$(basename "$requirements" .txt)
  version=${version#requirements-}
  venv="$root/.cache/venv-aistore-$version"
  if [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$venv/requirements.txt"; then
    continue
  fi
  rm -rf "$venv"
  mkdir -p "$root/.cache"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$venv/requirements.txt"
done
