"""Generated messages with odd values, lengths and types: no node ends, none lies."""

import time
from contextlib import suppress
from itertools import product
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from odd_messages import OddMessages
from rclpy.serialization import deserialize_message
from sane_outputs import OutputCheck
from sensor_messages import camera_info_msg
from valid_messages import (
    IMAGE_MAKERS,
    INFO_MAKERS,
    KEYPOINT_MAKERS,
    RESULT_MAKERS,
    SCAN_MAKERS,
    transforms,
)

from conegrad_data.calibration import calibration_source as calibration
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.decode import DecodeError, camera_model_from_msg
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived

pytestmark = pytest.mark.ros
COUNT = 100  # messages per input; benchmarks/fuzz_nodes.py sends thousands


def odd_messages(node, make, seed=0):
    """Odd messages as they arrive: bytes that are none are dropped by the middleware."""

    def stamped():
        msg = make()
        msg.header.stamp = node.get_clock().now().to_msg()
        return msg

    odd, msgtype = OddMessages(stamped, seed), type(make())
    for _ in range(COUNT):
        msg = odd.next()
        if isinstance(msg, bytes):
            try:
                msg = deserialize_message(msg, msgtype)
            except RuntimeError:
                continue
        yield msg
    yield stamped()


def checked_output(node, monkeypatch, take):
    """Let a function have what a node publishes."""
    if isinstance(node, SensorNode):
        ((_, publisher),) = node._outputs.values()
    else:
        publisher = node._output
    monkeypatch.setattr(publisher, "publish", take)


@pytest.mark.parametrize("topic", list(IMAGE_MAKERS))
def test_odd_images_are_refused_or_seen(graph, camera_parameters, monkeypatch, topic):
    transport = "raw" if topic == "image_raw" else "compressed"
    node = graph.start(CameraNode, image_transport=transport, **camera_parameters)
    assert_survives(node, IMAGE_MAKERS[topic], monkeypatch, "detections")


@pytest.mark.parametrize("topic", list(SCAN_MAKERS))
def test_odd_scans_are_refused_or_segmented(graph, lidar_parameters, monkeypatch, topic):
    node = graph.start(LidarNode, input=topic, **lidar_parameters)
    assert_survives(node, SCAN_MAKERS[topic], monkeypatch, "segmentation")


def assert_survives(node, make, monkeypatch, output):
    """A sensor node takes odd messages and then a valid one."""
    check = OutputCheck()
    checked_output(node, monkeypatch, getattr(check, output))
    source = node.inputs[0]
    for msg in odd_messages(node, make):
        before = check.seen[output]
        with source.skipping():
            node.process(Arrived(msg, time.perf_counter()))
    assert check.seen[output] == before + 1  # the valid one
    assert source.record.refused > COUNT // 10
    assert not check.faults


@pytest.mark.parametrize("topic", [*INFO_MAKERS, *RESULT_MAKERS, *KEYPOINT_MAKERS])
def test_odd_inputs_of_the_fusion_are_refused_or_fused(graph, frames_file, monkeypatch, topic):
    makers = {**INFO_MAKERS, **RESULT_MAKERS}
    parameters = {"calibration__extrinsics": "file", "calibration__file": frames_file}
    if topic in KEYPOINT_MAKERS:
        parameters["pipeline"] = "camera_keypoints"
        makers = {**INFO_MAKERS, "detections": RESULT_MAKERS["detections"], **KEYPOINT_MAKERS}
    node = graph.start(FusionNode, **parameters)
    check = OutputCheck()
    checked_output(node, monkeypatch, check.cones)
    inputs = {source.record.topic.lstrip("/"): source for source in node.inputs}

    def let_in(name, msg):
        check.note_sent(name, msg)
        inputs[name]._on_message(msg)

    def let_valid_in():
        stamp = node.get_clock().now().to_msg()  # one for all: some are joined by it
        for name, make in makers.items():
            msg = make()
            msg.header.stamp = stamp
            let_in(name, msg)

    let_valid_in()
    for number, msg in enumerate(odd_messages(node, makers[topic])):
        let_in(topic, msg)
        if number % 5 == 0:
            let_valid_in()
    before = check.seen["cones"]
    for _ in range(3):
        let_valid_in()
        time.sleep(0.01)
    assert check.seen["cones"] > before
    assert inputs[topic].record.refused > COUNT // 20
    assert not check.faults


def test_odd_transforms_do_not_silence_the_calibration(monkeypatch):
    monkeypatch.setattr(calibration, "HAS_TF2_MESSAGES", True)  # no wheel has them
    source = CalibrationSource(CalibrationConfig())
    source.set_camera(camera_model_from_msg(camera_info_msg()))
    refused = 0
    for seed, place in product(range(COUNT), range(2)):
        messages = transforms()
        odd = OddMessages(lambda m=messages[place]: m, seed).next()
        if isinstance(odd, bytes):
            continue
        messages[place] = odd
        try:
            source.add_transforms(SimpleNamespace(transforms=messages))
        except DecodeError:
            refused += 1
        with suppress(CalibrationError):
            source.calibration("camera_optical", "lidar")
        source.add_transforms(SimpleNamespace(transforms=transforms()))
        known, _ = source.calibration("camera_optical", "lidar")
        assert known.camera_from_lidar.isfinite().all()
    assert refused > COUNT // 10
