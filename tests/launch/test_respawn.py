"""Processes that end are started again by launch, with waits that grow."""

import sys

import pytest

pytest.importorskip("launch_ros.actions", reason="launch comes with apt's ROS 2")

from launch import LaunchDescription, LaunchService
from launch.actions import EmitEvent, ExecuteProcess, TimerAction
from launch.events import Shutdown

from conegrad_bringup.respawn import Respawned
from conegrad_core.processes.back_off import BackOffConfig

CONFIG = BackOffConfig(first_wait=0.1, longest_wait=0.2, tries=3)


@pytest.fixture
def run(tmp_path):
    """Function that runs a program under launch until it is given up; how often it was started."""

    def run(program, seconds):
        log = tmp_path / "starts"
        words = [sys.executable, "-c", f"print(1, file=open({str(log)!r}, 'a')); {program}"]
        actions = Respawned(lambda: ExecuteProcess(cmd=words), "program", CONFIG).actions()
        end = TimerAction(period=seconds, actions=[EmitEvent(event=Shutdown())])
        service = LaunchService(noninteractive=True)
        service.include_launch_description(LaunchDescription([*actions, end]))
        service.run()
        return log.read_text().count("1")

    return run


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_a_program_that_crashes_is_started_again_until_it_is_given_up(run, end):
    assert run(end, 8.0) == 1 + CONFIG.tries


def test_a_program_that_was_told_to_stop_is_not(run):
    assert run("pass", 2.0) == 1
