"""`make car` where it cannot build: without ROS from apt, or with another one."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CAR = Path(__file__).parents[2] / "scripts" / "car.sh"


def program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run_car(tmp_path, setup, **environment):
    """Run the script in a copy of the workspace, with the programs of this folder first."""
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name in ("car.sh", "common.sh"):
        (scripts / name).write_bytes((CAR.parent / name).read_bytes())
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", scripts / "car.sh"],
        env=os.environ | {"ROS_SETUP": str(setup), "PATH": path} | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("desktop", "asked"),
    [("", ["conegrad_nodes"]), ("1", ["conegrad_desktop", "conegrad_nodes"])],
)
def test_viewers_and_simulator_are_left_off_a_car(tmp_path, desktop, asked):
    setup = tmp_path / "setup.bash"
    setup.write_text("export ROS_DISTRO=jazzy\n")
    program(tmp_path / "bin" / "python3", "exit 0")
    program(tmp_path / "bin" / "rosdep", 'echo "$@"; exit 1')
    for name in ("conegrad_desktop", "conegrad_nodes"):
        package = tmp_path / "workspace" / "src" / name
        package.mkdir(parents=True)
        (package / "package.xml").touch()
    done = run_car(tmp_path, setup, DESKTOP=desktop)
    assert "rosdep could not install them" in done.stderr
    assert re.findall(r"src/(\w+)/", done.stdout) == asked


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (None, "is missing: install ROS 2 Jazzy"),
        ("export ROS_DISTRO=humble", "is of ROS 2 humble, expected jazzy"),
        ("export ROS_DISTRO=jazzy", "cannot import rclpy"),
    ],
)
def test_a_ros_that_does_not_fit_is_named(tmp_path, written, answer):
    setup = tmp_path / "setup.bash"
    if written is not None:
        setup.write_text(f"{written}\n")
    program(tmp_path / "bin" / "python3", "exit 1")  # it starts and finds nothing
    done = run_car(tmp_path, setup)
    assert done.returncode == 1
    assert str(setup) in done.stderr
    assert answer in done.stderr
    assert not (tmp_path / "workspace" / "car").exists()
