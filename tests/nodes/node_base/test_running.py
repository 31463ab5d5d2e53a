"""How a process of nodes ends, whatever it is doing at that moment."""

import subprocess
import sys

import pytest
from warm_python import finished

pytest.importorskip("rclpy")

pytestmark = pytest.mark.ros

BUSY_NODE = """
import gc, os, signal, time, torch
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Empty
from conegrad_nodes.node_base.running import run

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
    return finished([sys.executable, "-c", program], timeout=120)


def python(program):
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


def test_an_error_that_a_signal_amid_the_start_comes_out_as_is_none(domain):
    program = """
import os, signal
from conegrad_nodes.node_base.running import run

def node():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise TypeError("as a binding of C++ makes it") from None

run([node])
"""
    result = python(program)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_start_in_code_that_no_signal_breaks_off_ends_all_the_same(domain):
    program = """
import hashlib, os, signal, threading
from conegrad_nodes.node_base.running import run

def node():
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)

run([node])
"""
    result = python(program)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_program_that_is_told_to_stop_while_it_imports_ends_without_a_word(tmp_path, name):
    (tmp_path / "slow_module.py").write_text(
        f"import os, signal\nos.kill(os.getpid(), signal.{name})\nprint('imported')\n"
    )
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from conegrad_nodes.node_base.program import program
program("slow_module")()
"""
    result = python(program)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
