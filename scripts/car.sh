#!/usr/bin/env bash
# Build into car/, beside ROS 2 Jazzy from apt; a second run installs nothing.
#
# apt brings ROS (rosdep knows the packages), car/venv the pinned Python packages: Ubuntu's Python takes
# none from pip. ROS_SETUP names the setup.bash of a ROS that is not in /opt/ros/jazzy.
# DESKTOP=1 brings RViz, Foxglove and Gazebo as well, which a car has no use for.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case "$root" in
    *" "*) fail "$root has a space, which the first line of a program cannot hold: use another folder" ;;
esac
ros="${ROS_SETUP:-/opt/ros/jazzy/setup.bash}"
[ -e "$ros" ] || fail "$ros is missing: install ROS 2 Jazzy (ros-jazzy-ros-base), or name the" \
    "setup.bash of yours with ROS_SETUP. Without ROS: make build"
# Neither the wheels of `make build` nor another workspace may leak in.
unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PYTHONPATH
set +u
source "$ros"
set -u
[ "${ROS_DISTRO:-}" = jazzy ] || fail "$ros is of ROS 2 ${ROS_DISTRO:-without a name}, expected jazzy"
python3 -c "import rclpy" 2>/dev/null || fail "$(command -v python3) cannot import rclpy of $ros:" \
    "put the Python of ROS first (/usr/bin), ahead of conda or pyenv"

echo "[1/3] packages of ROS ..."
command -v rosdep >/dev/null || need_apt "rosdep is missing" python3-rosdep
packages=()
for package in src/*/; do
    [ "$package" = src/conegrad_desktop/ ] && [ -z "${DESKTOP:-}" ] || packages+=("$package")
done
of_pip="$(sed -n 's/.*depend>\(python3-[^<]*\)<.*/\1/p' src/*/package.xml | sort -u | tr '\n' ' ')"
rosdep install --from-paths "${packages[@]}" --ignore-src --rosdistro jazzy -y --skip-keys "$of_pip" \
    || fail "rosdep could not install them. Its first time on a machine: sudo rosdep init && rosdep update"

venv="$root/car/venv"
requirements="$root/requirements/requirements.txt"
wanted="$(fingerprint "$requirements" -- "$ros")"
mkdir -p car
touch car/COLCON_IGNORE
if [ "$(cat "$venv/.conegrad" 2>/dev/null)" != "$wanted" ]; then
    echo "[2/3] Python packages in car/venv (some 7 GB on disk) ..."
    need_libraries python3
    python3 -c "import ensurepip" 2>/dev/null || need_apt "python3 has no ensurepip" python3-venv
    # It sees the Python packages of ROS.
    python3 -m venv --system-site-packages --clear "$venv"
    grep -v '^ros-' "$requirements" >car/requirements.txt
    install_requirements "$venv/bin/python" car/requirements.txt
    echo "$wanted" >"$venv/.conegrad"
fi

echo "[3/3] building the packages with colcon ..."
PYTHONWARNINGS="ignore::DeprecationWarning,ignore::UserWarning" \
    "$venv/bin/python" -m colcon --log-base car/log build --merge-install --base-paths "${packages[@]}" \
    --build-base car/build --install-base car/install --event-handlers desktop_notification- \
    --cmake-args "-DPython3_EXECUTABLE=$venv/bin/python" --no-warn-unused-cli \
    || fail "colcon build failed: the lines above say where"
echo "done. In every shell: source $root/car/install/setup.bash"
