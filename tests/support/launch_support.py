"""What tests of running launch files need: the files, and a record of what they start."""

import os
from pathlib import Path

import pytest

pytest.importorskip("launch_needed")

from launch import LaunchContext, LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler, SetLaunchConfiguration
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.events.process import ProcessExited, ProcessStarted
from launch.launch_description_sources import PythonLaunchDescriptionSource

LAUNCH = Path(__file__).parents[2] / "launch"
# Between the signals of launch when it ends: a busy machine must not look like a node that hangs.
TIMEOUTS = ("sigterm_timeout", "sigkill_timeout")
PATIENCE = "60"  # [s]


def included(name: str, arguments: dict[str, str]) -> IncludeLaunchDescription:
    """A launch file of the repository, with these arguments."""
    source = PythonLaunchDescriptionSource(str(LAUNCH / f"{name}.launch.py"))
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


class Processes:
    """The processes of a launch: what runs, and how each of them ended.

    Attributes:
        pids: process number by name; names are those of the executables.
        exit_codes: by name, of those that ended.
    """

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.exit_codes: dict[str, int] = {}

    def watched(self, name: str, arguments: dict[str, str]) -> LaunchDescription:
        """Description of a launch file whose processes are recorded here."""
        return LaunchDescription(
            [
                RegisterEventHandler(OnProcessStart(on_start=self._on_start)),
                RegisterEventHandler(OnProcessExit(on_exit=self._on_exit)),
                *(SetLaunchConfiguration(timeout, PATIENCE) for timeout in TIMEOUTS),
                included(name, arguments),
            ]
        )

    def assert_ended_well(self) -> None:
        """All ended by themselves with exit code 0, and left no process behind, not even a zombie.

        Raises:
            AssertionError: naming those that did not.
        """
        assert self.exit_codes == dict.fromkeys(self.pids, 0)
        assert [name for name, pid in self.pids.items() if _exists(pid)] == []

    def _on_start(self, event: ProcessStarted, context: LaunchContext) -> None:
        self.pids[_program(event)] = event.pid

    def _on_exit(self, event: ProcessExited, context: LaunchContext) -> None:
        self.exit_codes[_program(event)] = event.returncode


def _program(event: ProcessStarted | ProcessExited) -> str:
    """Name of the executable; launch appends a number to it."""
    return str(event.process_name).rpartition("-")[0]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
