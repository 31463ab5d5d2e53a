"""`make car` where it cannot build: without ROS from apt, or with another one."""

import os
import subprocess
from pathlib import Path

import pytest

CAR = Path(__file__).parents[2] / "scripts" / "car.sh"


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
    # A Python that starts and finds nothing.
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name in ("car.sh", "common.sh"):
        (scripts / name).write_bytes((CAR.parent / name).read_bytes())
    path = f"{python.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", scripts / "car.sh"],
        env=os.environ | {"ROS_SETUP": str(setup), "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert str(setup) in done.stderr
    assert answer in done.stderr
    assert not (tmp_path / "workspace" / "car").exists()
