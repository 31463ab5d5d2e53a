#!/usr/bin/env bash
# Check the supported Pythons: that the pinned requirements resolve to wheels for each, and, where an
# interpreter is installed, that the wheels of core and data install and the core loads its networks.
# scripts/check_pythons.sh [VERSION...]; an environment takes some GB, and is removed afterwards.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
uv() { "$venv/bin/python" -m uv "$@"; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
versions=("$@")
[ $# -gt 0 ] || versions=(3.10 3.11 3.12 3.13)
scripts/dist.sh "$work/dist" --wheel

interpreter() {
    local found
    for found in "$(command -v "python$1" || true)" "$HOME/.pyenv/versions/$1".*/bin/python; do
        if [ -x "$found" ] && "$found" -c "import venv" 2>/dev/null; then echo "$found"; return; fi
    done
}

for version in "${versions[@]}"; do
    uv pip install --dry-run --quiet --python-platform x86_64-manylinux_2_39 --python-version "$version" \
        --only-binary :all: --no-binary empy --target "$work/none" -r requirements/requirements.txt \
        || fail "Python $version: the requirements do not resolve"
    echo "Python $version: all requirements resolve to wheels (empy alone is built)"
    found="$(interpreter "$version")"
    if [ -z "$found" ]; then
        echo "Python $version: not installed here, so nothing was imported"
        continue
    fi
    uv venv --quiet --python "$found" "$work/$version"
    uv pip install --quiet --python "$work/$version/bin/python" --constraint requirements/requirements.txt \
        "$work"/dist/conegrad_core-*.whl "$work"/dist/conegrad_data-*.whl \
        || fail "Python $version: core and data do not install"
    (cd "$work" && env -u PYTHONPATH "$work/$version/bin/python" -c "
import sys, conegrad_core
from conegrad_core import Perception
from conegrad_data.bags.types import default_typestore
Perception.load(); default_typestore()
print(f'Python {sys.version.split()[0]}: core and data are installed, networks and messages load')
") || fail "Python $version: core and data do not load"
    rm -rf "${work:?}/$version"
done
