"""Packages that stand in for programs that are not installed, or too large for a test."""

import os
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "stand_ins"
LAUNCH_FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, Shutdown
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument("gz_args"),
        DeclareLaunchArgument("on_exit_shutdown", choices=["true"]),
        ExecuteProcess(
            cmd=["sh", "-c", 'trap "exit 0" INT TERM; while :; do sleep 0.1; done', "gz",
                 LaunchConfiguration("gz_args")],
            name="gz", on_exit=Shutdown()),
    ])
"""


class StandIns:
    """A place where packages are found before those that are installed.

    Args:
        prefix: an empty folder.
        patch: puts it on the path of the package index.
    """

    def __init__(self, prefix: Path, patch: pytest.MonkeyPatch) -> None:
        self._prefix = prefix
        patch.setenv("AMENT_PREFIX_PATH", str(prefix), prepend=os.pathsep)

    def add(self, package: str, executable: str, program: str) -> None:
        """Add a package with one executable that runs a program of ``stand_ins/``."""
        self._register(package)
        path = self._prefix / "lib" / package / executable
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'#!/bin/sh\nSTAND_IN_NAME={executable} exec python3 "{PROGRAMS / program}" "$@"\n'
        )
        path.chmod(0o755)

    def add_simulator(self) -> None:
        """Add ros_gz_sim with a simulator that does nothing until it is told to end."""
        self._register("ros_gz_sim")
        path = self._prefix / "share/ros_gz_sim/launch/gz_sim.launch.py"
        path.parent.mkdir(parents=True)
        path.write_text(LAUNCH_FILE)

    def _register(self, package: str) -> None:
        marker = self._prefix / "share/ament_index/resource_index/packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
