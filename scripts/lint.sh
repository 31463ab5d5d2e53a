#!/usr/bin/env bash
# Run every check of the sources, all of them even if one fails.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source scripts/env.sh

failed=()
check() {
    echo "== $*"
    "$@" || failed+=("$1")
}
check ruff check .
check ruff format --check .
check mypy
check lint-imports
check codespell
[ ${#failed[@]} -eq 0 ] || fail "${failed[*]}: see above"
echo "all checks passed"
