"""The child process of the live graph never outlives its parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.playback import graph_process
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess

pytestmark = pytest.mark.ros

PARENT = """
import time
from conegrad_nodes.playback.graph_process import GraphProcess
with GraphProcess({domain}, {{}}) as process:
    print(process.pid, flush=True)
    time.sleep(60)
"""


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid, seconds=20.0):
    deadline = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs after {seconds} s"
        time.sleep(0.05)


def check_for(process, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process.check()
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def cold_graphs(monkeypatch):
    """Processes as the product starts them."""
    monkeypatch.setattr(graph_process, "subprocess", subprocess)


def test_leaving_the_block_stops_the_process(domain):
    with GraphProcess(domain, {}) as process:
        assert is_running(process.pid)
    assert not is_running(process.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is told by Linux")
def test_a_killed_parent_takes_the_process_along(domain):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(domain=domain)], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
    wait_until_gone(pid)


def test_a_process_that_ends_is_reported_with_its_last_words(domain):
    with (
        GraphProcess(domain, {"detector.engine": "steam"}) as process,
        pytest.raises(GraphError, match=r"(?s)ended with code 1.*detector.engine of camera_node"),
    ):
        check_for(process, seconds=60.0)


def test_each_graph_gets_a_domain_of_its_own():
    with own_domain() as first, own_domain() as second:
        assert first != second
    with own_domain(7) as given:
        assert given == 7
