#!/usr/bin/env bash
# Compile requirements/*.in to pinned versions for every supported Python, without addresses in them.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd requirements
for name in requirements docs; do
    "$venv/bin/python" -m uv pip compile --quiet --universal --python-version 3.10 "$name.in" \
        --output-file "$name.txt" --no-header --no-emit-index-url "$@"
    ! grep -nE '://|@ ' "$name.txt" || fail "$name.txt names an address"
done
