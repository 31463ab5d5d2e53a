#!/usr/bin/env bash
# Build the packages of src/ with colcon into build/ and install/; skipped if nothing changed.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source scripts/env.sh

stamp="$root/install/.conegrad"
# Python sources are linked, not copied: only what decides on the built files counts.
mapfile -d '' -t sources < <(find src/conegrad_msgs src/*/CMakeLists.txt src/*/setup.py src/*/setup.cfg \
    src/*/package.xml src/*/resource colcon.meta scripts/build.sh -type f -print0 | sort -z)
mapfile -t shared < <(find launch config -type f 2>/dev/null | sort)
wanted="$(fingerprint "${sources[@]}" -- "$(cat "$venv/.conegrad")" "${sources[@]}" "${shared[@]}")"
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    echo "workspace is up to date"
    exit 0
fi

# CMake refuses a build folder that was made at another place.
grep -qsxF "$root" build/.home || rm -rf build install log
mkdir -p build install
echo "$root" >build/.home
echo "building the packages with colcon (first time: about half a minute) ..."
# Other ROS installations on the machine must not leak in.
unset COLCON_PREFIX_PATH
# colcon would let make wait while the machine is busy with something else.
case "${MAKEFLAGS:-}" in
    *-j*) ;;
    *) export MAKEFLAGS="${MAKEFLAGS:-} -j$(nproc)" ;;
esac
export PYTHONWARNINGS="ignore::DeprecationWarning,ignore::UserWarning"
colcon --log-level error build --merge-install --symlink-install --base-paths src \
    --event-handlers desktop_notification- \
    --cmake-args "-DPython3_EXECUTABLE=$venv/bin/python" --no-warn-unused-cli \
    || fail "colcon build failed: the lines above say where"
# A path with a space cannot stand in the first line of a program.
find install/lib -path "install/lib/conegrad_*" -type f -exec \
    sed -i '1s|^#!.*python.*|#!/usr/bin/env python3|' {} +
echo "$wanted" >"$stamp"
