"""The lifecycle manager: what it does with processes and with services of nodes."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from node_questions import state_of
from untrained import write_lidar_weights

from conegrad_core.processes.supervision import Heartbeat, Process
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.lifecycle_manager import LifecycleManager
from conegrad_nodes.monitoring.heartbeat import heartbeat_values, heartbeats_from_msg
from conegrad_nodes.monitoring.process_identity import end_process, this_process

pytestmark = pytest.mark.ros

IDENTITY = """
import time
from conegrad_nodes.monitoring.process_identity import this_process
print(*this_process(), flush=True)
time.sleep(120)
"""


@pytest.fixture
def program():
    """A program that does nothing, and its identity."""
    with subprocess.Popen(
        [sys.executable, "-c", IDENTITY], stdout=subprocess.PIPE, text=True
    ) as process:
        host, pid, started = process.stdout.readline().split()
        yield process, Process(host, int(pid), started)
        process.kill()


def status(node, process, state, level=0):
    values = heartbeat_values(process, state, is_managed=True)
    return DiagnosticStatus(
        name=f"{node}: node", hardware_id=f"/{node}", message=state, level=bytes([level]),
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )  # fmt: skip


def test_a_heartbeat_is_read_as_it_was_said():
    process = Process("car", 7, "8")
    msg = DiagnosticArray(status=[status("camera_node", process, "active")])
    assert heartbeats_from_msg(msg) == [Heartbeat("/camera_node", process, "active")]


def test_a_status_without_heartbeat_is_passed_over():
    others = [
        DiagnosticStatus(name="motor: node"),
        DiagnosticStatus(name="camera_node: input scan"),
    ]
    assert heartbeats_from_msg(DiagnosticArray(status=others)) == []


@pytest.mark.parametrize(
    ("pid", "started"),
    [("0", ""), ("0", "1"), ("-1", "1"), ("5", "x"), (5000 * "9", "1")],
)
def test_a_heartbeat_that_names_no_process_is_passed_over_and_ends_none(pid, started):
    values = heartbeat_values(this_process(), "active", is_managed=True)
    values |= {"pid": pid, "started": started}
    entries = [KeyValue(key=key, value=value) for key, value in values.items()]
    status = DiagnosticStatus(name="camera_node: node", level=b"\x00", values=entries)
    assert heartbeats_from_msg(DiagnosticArray(status=[status])) == []
    assert end_process(Process(this_process().host, 0, ""), os.getppid())


def test_the_process_of_the_manager_itself_is_never_ended():
    assert "did not start it" in end_process(this_process(), os.getppid())


@pytest.mark.parametrize("launcher", [0, 1])
def test_a_process_that_the_launch_did_not_start_is_left_alone(program, launcher):
    process, identity = program
    assert end_process(identity, launcher) == "the launch of this node did not start it"
    assert process.poll() is None


def test_a_later_process_of_the_same_number_is_not_ended(program):
    process, identity = program
    assert "any more" in end_process(identity._replace(started="1"), os.getpid())
    assert "on another" in end_process(identity._replace(host="another"), os.getpid())
    assert process.poll() is None
    assert end_process(identity, os.getpid()) == ""
    assert process.wait(60) == -signal.SIGKILL


def test_a_process_that_is_stopped_and_thus_silent_is_ended_and_that_is_told(
    graph, reports, program
):
    process, identity = program
    process.send_signal(signal.SIGSTOP)
    graph.start(
        LifecycleManager, heartbeat_timeout=1.5, nodes=["camera_node"], launcher=os.getpid()
    )
    beats = graph.publisher(DiagnosticArray, "/diagnostics")
    name = "lifecycle_manager: camera_node"
    graph.until(
        lambda: "is active" in reports.text(name),
        "an active node",
        again=lambda: beats.publish(
            DiagnosticArray(status=[status("camera_node", identity, "active")])
        ),
    )
    graph.until(lambda: process.poll() is not None, "the end of the process")
    assert process.returncode == -signal.SIGKILL
    graph.until(lambda: f"its process {identity.pid} was ended" in reports.text(name), "a report")
    assert reports.level(name) == 2


def tries(text: str) -> int:
    """Number of the try that a report tells of; reports of some of them may be passed over."""
    found = re.search(r"\(try (\d+) of 1000\)", text)
    return int(found[1]) if found else 0


def test_a_node_whose_weights_come_late_is_configured_again_and_activated(graph, reports, tmp_path):
    path = tmp_path / "scan.safetensors"
    graph.start(
        LifecycleManager, first_wait=0.5, longest_wait=0.5, tries=1000, nodes=["lidar_node"]
    )
    graph.start(LidarNode, segmenter__weights=str(path))
    name = "lifecycle_manager: lidar_node"
    graph.until(lambda: tries(reports.text(name)) >= 2, "two tries")
    assert str(path) in reports.text(name)
    assert Path(write_lidar_weights(tmp_path)) == path
    graph.until(lambda: reports.text(name) == "/lidar_node is active", "an active node")
    assert state_of(graph, "/lidar_node") == "active"


def test_a_node_that_is_deactivated_on_purpose_stays_so(graph, reports, lidar_parameters):
    graph.start(LifecycleManager, first_wait=0.0, nodes=["lidar_node"])
    node = graph.start(LidarNode, **lidar_parameters)
    name = "lifecycle_manager: lidar_node"
    graph.until(lambda: reports.text(name) == "/lidar_node is active", "an active node")
    node.trigger_deactivate()
    graph.until(lambda: "left alone" in reports.text(name), "a report")
    assert state_of(graph, "/lidar_node") == "inactive"


def test_the_heartbeat_of_a_node_names_its_process(graph, reports, lidar_parameters):
    graph.start(LidarNode, **lidar_parameters)
    graph.until(lambda: "lidar_node: node" in reports.latest, "diagnostics")
    [beat] = heartbeats_from_msg(DiagnosticArray(status=[reports.latest["lidar_node: node"]]))
    assert beat.process == this_process()
    assert beat.node == "/lidar_node"
    assert beat.is_managed
