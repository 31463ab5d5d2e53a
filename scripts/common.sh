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

# Debian packages of the libraries that a Python does not find.
library_objections() {
    "$1" - <<'PYTHON'
import ctypes
packages = {
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libGL.so.1": "libgl1",
    "libgomp.so.1": "libgomp1",
    "libX11.so.6": "libx11-6",
}
for library, package in packages.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PYTHON
}

# need_libraries PYTHON: the system's libraries that the Python packages need.
need_libraries() {
    local missing
    mapfile -t missing < <(library_objections "$1")
    [ ${#missing[@]} -eq 0 ] || need_apt "missing system libraries" "${missing[@]}"
}

# install_requirements PYTHON FILE: install pinned packages with uv, where it fails with pip.
install_requirements() {
    local uv
    uv="uv$(sed -n 's/^uv\(==[^ ;]*\).*/\1/p' "$2")"
    # The certificates of the system, as pip uses them: networks with a proxy add theirs there.
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    "$1" -m pip install --quiet --disable-pip-version-check "$uv" \
        || fail "pip could not install $uv: is there a connection to the package index?"
    if ! "$1" -m uv pip install --python "$1" -r "$2"; then
        echo "      uv could not install them; trying pip (slower) ..."
        "$1" -m pip install --disable-pip-version-check -r "$2" \
            || fail "pip could not install $2: see the lines above"
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
