#!/usr/bin/env bash
# Compile requirements.in to pinned versions for every supported Python, without addresses in it.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd requirements
"$venv/bin/python" -m uv pip compile --quiet --universal --python-version 3.10 requirements.in \
    --output-file requirements.txt --no-header --no-emit-index-url "$@"
! grep -nE '://|@ ' requirements.txt || fail "requirements.txt names an address"
