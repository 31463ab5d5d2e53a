"""How a process of nodes ends, whatever it is doing at that moment."""

import subprocess
import sys

import pytest

pytest.importorskip("rclpy")

pytestmark = pytest.mark.ros

BUSY_NODE = """
import gc, os, signal, time, torch
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Empty
from conegrad_nodes.running import run

class BusyNode(LifecycleNode):
    def __init__(self):
        super().__init__("busy_node")
        self._publisher = self.create_publisher(Empty, "late", 1)

    def start(self):
        self.create_timer(0.01, self._work)

    def _work(self):
        {told}
        time.sleep(0.2)  # until ROS has ended the context
        print("finished", flush=True)
        {then}

run([BusyNode])
"""
TOLD = "os.kill(os.getpid(), signal.{name})"


def busy(told, then):
    program = BUSY_NODE.format(told=told, then=then)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_callback_that_publishes_while_the_process_is_told_to_stop_is_no_fault(domain, name):
    result = busy(TOLD.format(name=name), "self._publisher.publish(Empty())")
    assert result.stdout == "finished\n"
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_in_a_callback_ends_the_process_with_a_traceback(domain):
    result = busy("pass", "raise RuntimeError('no such device')")
    assert result.returncode == 1
    assert result.stderr.endswith("RuntimeError: no such device\n")


def test_libraries_and_models_are_not_searched_for_garbage(domain):
    result = busy("print(gc.get_freeze_count() > 100_000, flush=True)", "os.kill(os.getpid(), 2)")
    assert result.stdout.startswith("True\nfinished\n")
