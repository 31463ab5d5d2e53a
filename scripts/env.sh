# Source this file (bash or zsh) to use the workspace: `source scripts/env.sh`, from any folder.
#
# It puts the virtual environment, the ROS 2 wheels in it and the built packages on the search
# paths. LD_LIBRARY_PATH is set up front because the ROS wheels otherwise re-execute Python once
# to set it, which breaks `python -c`, debuggers and programs that start Python.
# On a machine with ROS 2 from apt, `make car` and source car/install/setup.bash instead.

conegrad_env() {
    local root venv site libraries library packages package
    root="$(cd "$(dirname "$1")/.." && pwd)" || return 1
    venv="$root/.venv"
    if [ ! -x "$venv/bin/python" ]; then
        echo "$venv is missing: run 'make setup' in $root first" >&2
        return 1
    fi
    site="$(echo "$venv"/lib/python3.*/site-packages)"

    libraries="$root/install/lib:$venv/lib"
    for library in "$site"/ros_*.libs; do
        libraries="$libraries:$library"
    done
    packages="$root/install/lib/$(basename "$(dirname "$site")")/site-packages"
    # Sources from src; what setuptools wrote about them, which installed programs ask for, in build.
    for package in "$root"/src/*/setup.py; do
        package="$(basename "$(dirname "$package")")"
        packages="$packages:$root/src/$package:$root/build/$package"
    done

    export VIRTUAL_ENV="$venv"
    export AMENT_PREFIX_PATH="$root/install:$venv"
    export CMAKE_PREFIX_PATH="$root/install:$venv"
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
    case ":$PATH:" in
        *":$venv/bin:"*) ;;
        *) export PATH="$venv/bin:$PATH" ;;
    esac
    case ":${LD_LIBRARY_PATH:-}:" in
        *":$libraries:"*) ;;
        *) export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
    esac
    case ":${PYTHONPATH:-}:" in
        *":$packages:"*) ;;
        *) export PYTHONPATH="$packages${PYTHONPATH:+:$PYTHONPATH}" ;;
    esac
}

# ${BASH_SOURCE[0]} in bash, $0 in zsh: the path of this file while it is sourced.
conegrad_env "${BASH_SOURCE[0]:-$0}"
