# Shared by the scripts of this folder: where the workspace is, and how to stop with one clear line.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
cd "$root"

fail() {
    echo "error: $*" >&2
    exit 1
}

# Succeeds where `apt-get install` works without asking anybody.
can_apt() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && [ -e /etc/debian_version ]
}

# Install Debian packages when root on Debian or Ubuntu, else name the command and stop.
need_apt() {
    local reason="$1"
    shift
    if can_apt; then
        echo "      $reason: installing $*"
        apt-get update -qq >"$venv_log" 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
            >>"$venv_log" 2>&1 || { cat "$venv_log" >&2; fail "apt-get could not install $*"; }
    elif command -v apt-get >/dev/null; then
        fail "$reason. Run: sudo apt-get update && sudo apt-get install -y $*"
    else
        fail "$reason. Install what Debian calls: $*"
    fi
}

venv_log="$(mktemp)"
trap 'rm -f "$venv_log"' EXIT

# One hash of the contents of files and of the words after `--`.
fingerprint() {
    local files=()
    while [ $# -gt 0 ] && [ "$1" != "--" ]; do
        files+=("$1")
        shift
    done
    { cat "${files[@]}"; printf '%s\n' "$@"; } | sha256sum | cut -d' ' -f1
}
