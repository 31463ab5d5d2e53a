"""Bags through the live graph: a real child process, real topics."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from warm_python import WarmProcess

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_nodes.playback.graph_process import GraphError, GraphProcess
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.player import PlayConfig
from conegrad_nodes.playback.result_tracker import ResultCounts

pytestmark = pytest.mark.ros


def cones_by_image(path):
    """Scan stamp and rows (x, y, existence, colour) of the cones of each image stamp."""
    found = {}
    with BagReader(path) as bag:
        for _, _, msg in bag.messages(["/cones"]):
            rows = [[c.position.x, c.position.y, c.existence, c.colour] for c in msg.cones]
            image = (msg.camera_stamp.sec, msg.camera_stamp.nanosec)
            scan = (msg.lidar_stamp.sec, msg.lidar_stamp.nanosec)
            found[image] = (scan, np.array(rows).reshape(-1, 4))
    return found


def cones_of(path):
    with BagReader(path) as bag:
        return [msg for _, _, msg in bag.messages(["/cones"])]


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def started(monkeypatch):
    """Process numbers of the graphs that were started."""
    pids = []
    make = GraphProcess.__init__

    def remember(self, *args, **kwargs):
        make(self, *args, **kwargs)
        pids.append(self.pid)

    monkeypatch.setattr(GraphProcess, "__init__", remember)
    return pids


@pytest.fixture(scope="module")
def perceived(drive, parameters, tmp_path_factory):
    """The drive through the live graph, in lockstep: the new bag and what came of it."""
    path = tmp_path_factory.mktemp("perceived") / "live"
    return path, perceive_bag(drive, path, PerceiveOptions(parameters=parameters))


def test_nothing_is_lost_in_lockstep(perceived):
    _, result = perceived
    assert result.images == ResultCounts(sent=6, received=6, lost=0)
    assert result.scans == ResultCounts(sent=14, received=14, lost=0)
    assert result.fusions == ResultCounts(sent=6, received=6, lost=0)
    assert len(result.latencies) == 6
    assert result.reasons == []


def test_the_live_graph_and_direct_calls_give_the_same_cones(
    perceived, drive, parameters, tmp_path
):
    perceive_directly(drive, tmp_path / "direct", PerceiveOptions(parameters=parameters))
    live, direct = cones_by_image(perceived[0]), cones_by_image(tmp_path / "direct")
    assert list(live) == list(direct)
    assert sum(len(rows) for _, rows in live.values()) > 6
    for image, (scan, rows) in live.items():
        assert scan == direct[image][0]
        np.testing.assert_allclose(rows, direct[image][1], atol=1e-4)


def test_the_new_bag_holds_the_inputs_and_every_output(perceived, drive):
    with BagReader(drive) as source, BagReader(perceived[0]) as bag:
        copied = [raw for raw in bag.raw_messages() if raw.topic in source.topics]
        assert copied == list(source.raw_messages())
        counts = {name: topic.count for name, topic in bag.topics.items()}
    assert counts["/detections"] == 6
    assert counts["/segmentation"] == 14
    assert counts["/cones"] == 6
    assert counts["/player/pipeline_latency"] == 6
    assert counts["/fusion_node/processing_latency"] == 6
    assert counts["/diagnostics"] > 0


def test_cones_of_an_earlier_run_are_replaced(perceived, parameters, tmp_path):
    perceive_directly(perceived[0], tmp_path / "again", PerceiveOptions(parameters=parameters))
    assert list(cones_by_image(tmp_path / "again")) == list(cones_by_image(perceived[0]))
    with BagReader(tmp_path / "again") as bag:
        assert bag.topics["/cones"].count == 6


def test_calibration_that_nobody_in_a_shared_domain_gives_is_the_reason(
    record_drive, parameters, domain, tmp_path
):
    bag = record_drive("bare", has_frames=False, images=8, scans=20)
    options = PerceiveOptions(play=PlayConfig(timeout=0.5), parameters=parameters, domain=domain)
    with pytest.raises(GraphError, match="no extrinsics"):
        perceive_bag(bag, tmp_path / "out", options)
    with BagReader(tmp_path / "out") as out:  # what came until then is kept
        assert out.topics["/detections"].count > 0


def test_weights_that_cannot_be_loaded_are_given_as_the_reason(
    drive, parameters, domain, tmp_path, started
):
    options = PerceiveOptions(
        parameters={**parameters, "detector.weights": "/nowhere/weights.safetensors"},
        domain=domain,
    )
    with pytest.raises(GraphError, match=r"camera_node: node: cannot configure.*weights"):
        perceive_bag(drive, tmp_path / "out", options)
    assert not any(is_running(pid) for pid in started)


# A twentieth of real time: the signal comes while the player waits for the next message.
SLOW_PLAY = """
import json, sys
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.player import PlayConfig

def told(stream, total):
    for index, message in enumerate(stream):
        if index == 10:
            print("playing", flush=True)
        yield message

drive, output, parameters, domain = sys.argv[1:]
play = PlayConfig(rate=0.05)
options = PerceiveOptions(play=play, parameters=json.loads(parameters), domain=int(domain))
perceive_bag(drive, output, options, progress=told)
"""


def test_ctrl_c_leaves_a_readable_bag_and_no_process(drive, parameters, domain, tmp_path):
    # In a process of its own, where the test runner cannot be hit; its SIGINT is not ignored even
    # if a shell started the tests in the background.
    arguments = [str(drive), str(tmp_path / "out"), json.dumps(parameters, default=str)]
    process = WarmProcess(
        [sys.executable, "-c", SLOW_PLAY, *arguments, str(domain)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.read_line() == "playing\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.endswith("KeyboardInterrupt\n")  # passed on
    with BagReader(tmp_path / "out") as bag:
        assert bag.warnings == []
        assert 0 < bag.topics["/odom"].count < 70
        assert len(list(bag.messages(["/odom"]))) == bag.topics["/odom"].count
    assert children
    assert not any(is_running(int(pid)) for pid in children)


def test_real_time_play_takes_as_long_as_the_drive(drive, parameters, domain, tmp_path):
    options = PerceiveOptions(play=PlayConfig(rate=0.5), parameters=parameters, domain=domain)
    result = perceive_bag(drive, tmp_path / "out", options)
    assert result.images.sent == 6
    assert result.images.received + result.images.lost == 6
    assert result.fusions.received > 0


@pytest.mark.parametrize("vehicle", ["formula_student", ""])
def test_a_lidar_alone_gives_the_cones_of_every_scan(
    record_drive, parameters, domain, tmp_path, vehicle
):
    bag = record_drive("lidar_only", images=0, scans=10)
    options = PerceiveOptions(parameters=parameters, domain=domain, vehicle=vehicle)
    result = perceive_bag(bag, tmp_path / "live", options)
    assert result.images.sent == 0
    assert result.fusions == ResultCounts(sent=10, received=10, lost=0)
    assert perceive_directly(bag, tmp_path / "direct", options) == 10
    heights = {
        round(cone.position.z, 3)
        for name in ("live", "direct")
        for msg in cones_of(tmp_path / name)
        for cone in msg.cones
    }
    assert heights == {-0.15 if vehicle else -0.2}  # the ground, below a LiDAR that is mounted so


@pytest.mark.parametrize(
    "text",
    [
        "/car/fusion_node: {ros__parameters: {pairing.trigger: lidar, min_existence: 0.9}}",
        "/car: {fusion_node: {ros__parameters: {pairing: {trigger: lidar}, min_existence: 0.9}}}",
        "/**: {ros__parameters: {pairing: {trigger: lidar}, min_existence: 0.9}}",
    ],
    ids=["a namespace", "nested", "all nodes"],
)
def test_the_parameter_file_of_a_car_serves_for_its_recordings(
    drive, parameters, domain, tmp_path, text
):
    file = tmp_path / "car.yaml"
    file.write_text(text)
    # What is given by name takes precedence: a lowest existence that lets something through.
    assert parameters["min_existence"] < 0.9
    options = PerceiveOptions(parameters=parameters, parameter_files=[file], domain=domain)
    result = perceive_bag(drive, tmp_path / "live", options)
    assert result.fusions == ResultCounts(sent=14, received=14, lost=0)
    perceive_directly(drive, tmp_path / "direct", options)
    live, direct = cones_of(tmp_path / "live"), cones_of(tmp_path / "direct")
    assert sum(len(msg.cones) for msg in live) == sum(len(msg.cones) for msg in direct) > 0


def test_a_lidar_alone_needs_its_place_on_the_car(record_drive, parameters, tmp_path):
    bag = record_drive("lidar_only", images=0, scans=4, has_frames=False)
    with pytest.raises(BagError, match="has no tf_static, which states where the sensors are"):
        perceive_bag(bag, tmp_path / "out", PerceiveOptions(parameters=parameters))


@pytest.mark.parametrize("vehicle", ["formula_student", None])
def test_a_camera_alone_gives_cones_in_the_frame_of_the_base(
    record_drive, parameters, domain, tmp_path, vehicle
):
    bag = record_drive("camera_only", images=4, scans=0)
    options = PerceiveOptions(parameters=parameters, domain=domain, vehicle=vehicle)
    live = perceive_bag(bag, tmp_path / "live", options)
    assert live.fusions == ResultCounts(sent=4, received=4, lost=0)
    perceive_directly(bag, tmp_path / "direct", options)
    for name in ("live", "direct"):
        frames = [msg.header.frame_id for msg in cones_of(tmp_path / name)]
        assert frames == ["base_link"] * 4, name


def test_a_bag_without_sensors_is_refused(tmp_path, parameters):
    with BagWriter(tmp_path / "odometry") as bag:
        bag.write("/odom", "nav_msgs/msg/Odometry", 5, messages.odometry_msg(5, (0.0, 0.0, 0.0)))
    with pytest.raises(BagError, match="neither images nor scans nor clouds; it holds /odom"):
        perceive_bag(tmp_path / "odometry", tmp_path / "out", PerceiveOptions())
