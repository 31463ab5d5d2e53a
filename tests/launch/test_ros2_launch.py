"""`ros2 launch` itself: how it ends, as people and as service managers end it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("launch_support")
pytest.importorskip("ros2launch", reason="ros2launch is not installed")
if not shutil.which("ros2"):
    pytest.skip("the program ros2 is not installed", allow_module_level=True)

from launch_support import PATIENCE, TIMEOUTS
from node_questions import wait_until_active

pytestmark = [pytest.mark.ros, pytest.mark.slow]

NODES = ("camera_node", "lidar_node", "fusion_node")
PROCESSES = len(NODES) + 1  # lifecycle_manager


def children_of(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def launched(domain, params_file):
    """`ros2 launch` of the perception, apart, in a session of its own."""
    words = ["ros2", "launch", "conegrad_bringup", "perception.launch.py"]
    arguments = ["composed:=false", f"params_file:={params_file}", "vehicle:=formula_student"]
    arguments += [f"{timeout}:={PATIENCE}" for timeout in TIMEOUTS]
    process = subprocess.Popen(
        [*words, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    "send",
    # On SIGTERM launch itself leaves its processes behind: service managers have to send SIGINT.
    [
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="Ctrl-C reaches all"),
        pytest.param(lambda pid: os.kill(pid, signal.SIGINT), id="SIGINT to launch alone"),
    ],
)
@pytest.mark.timeout(400)
def test_all_processes_end_without_an_error_and_none_is_left(graph, launched, send):
    for node in NODES:
        wait_until_active(graph, f"/{node}")
    nodes = children_of(launched.pid)
    assert len(nodes) == PROCESSES
    send(launched.pid)
    output, _ = launched.communicate(timeout=130)
    assert output.count("process has finished cleanly") == PROCESSES, output
    assert "Traceback" not in output
    assert [pid for pid in nodes if is_there(pid)] == []
