"""Any stage of a pipeline file over topics, also one of a package of a user."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ament_index_python.packages import get_package_prefix
from conegrad_msgs.msg import ConeDetectionArray, PortTensors, ScanSegmentation
from geometry_msgs.msg import PointStamped
from installed_package import brightness_package, write_brightness_pipeline
from sensor_messages import image_msg, scan_msg
from sensor_msgs.msg import Image, LaserScan
from warm_python import WarmProcess

from conegrad_core.camera.image import Detections
from conegrad_core.crops.cutting import cut_crops
from conegrad_core.crops.stage import CropConfig
from conegrad_core.pipeline.errors import PipelineError
from conegrad_data.decode import image_from_msg
from conegrad_data.status.part_status import Level
from conegrad_nodes.node_base.qos import LATEST
from conegrad_nodes.port_messages.detections import DETECTIONS
from conegrad_nodes.port_messages.registry import port_message
from conegrad_nodes.stage_node import StageNode

pytestmark = pytest.mark.ros


@pytest.fixture
def brightness(tmp_path):
    """The pipeline with the stage of a user, whose package is installed."""
    with brightness_package(tmp_path / "site"):
        yield str(write_brightness_pipeline(tmp_path))


def mean_brightness(msg):
    """Mean of all channels: what the fresh network of the package gives."""
    return sum(msg.data) / len(msg.data) / 255


def test_a_stage_of_a_user_runs_on_the_topics_of_its_ports(graph, brightness):
    graph.start(StageNode, pipeline=brightness, stage="brightness")
    results, images = graph.hear(PointStamped, "brightness"), graph.publisher(Image, "image_raw")
    msg = image_msg(stamp=9)
    graph.until(lambda: results, "brightness", again=lambda: images.publish(msg))
    assert results[0].header == msg.header
    assert results[0].point.x == pytest.approx(mean_brightness(msg), abs=1e-5)


def test_settings_of_the_stage_are_parameters_after_its_name(graph, brightness):
    node = graph.start(StageNode, pipeline=brightness, stage="brightness", brightness__gain=2.0)
    results, images = graph.hear(PointStamped, "brightness"), graph.publisher(Image, "image_raw")
    msg = image_msg()
    graph.until(lambda: results, "brightness", again=lambda: images.publish(msg))
    assert results[0].point.x == pytest.approx(2 * mean_brightness(msg), abs=1e-5)
    assert node.get_parameter("brightness.weights").value == ""


def test_defaults_are_those_of_the_pipeline_file(graph, brightness):
    path = Path(brightness)
    before = "module: brightness, "
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, f"{before}settings: {{gain: 3}}, "))
    node = graph.start(StageNode, pipeline=brightness, stage="brightness", autostart=False)
    assert node.get_parameter("brightness.gain").value == 3.0


def test_a_stage_of_the_car_gives_what_its_own_node_publishes(graph, lidar_weights):
    parameters = {"segmenter__weights": lidar_weights}
    graph.start(StageNode, stage="segmenter", **parameters)
    results = graph.hear(ScanSegmentation, "segmentation")
    scans = graph.publisher(LaserScan, "scan")
    msg = scan_msg(stamp=5)
    graph.until(lambda: results, "segmentation", again=lambda: scans.publish(msg))
    assert results[0].header == msg.header
    assert len(results[0].logits) == len(msg.ranges)
    assert results[0].range_max == pytest.approx(30.0)


def test_results_are_drawn_on_the_image(graph, camera_parameters):
    graph.start(StageNode, stage="detector", **camera_parameters)
    results = graph.hear(ConeDetectionArray, "detections")
    debug = []
    graph.peer.create_subscription(Image, "stage_node/debug_image", debug.append, LATEST)
    images = graph.publisher(Image, "image_raw")
    msg = image_msg()
    graph.until(lambda: results and debug, "both", again=lambda: images.publish(msg))
    assert (results[0].image_width, results[0].image_height) == (msg.width, msg.height)
    assert (debug[0].width, debug[0].height) == (msg.width, msg.height)


def test_crops_are_cut_from_the_image_of_the_same_stamp_as_the_detections(graph):
    graph.start(StageNode, pipeline="camera_keypoints", stage="cropper")
    results = graph.hear(PortTensors, "crops")
    images = graph.publisher(Image, "image_raw")
    detections = graph.publisher(ConeDetectionArray, "detections")
    msg = image_msg(stamp=9)
    found = Detections(torch.tensor([[40.0, 20.0, 60.0, 50.0]]), torch.zeros(1, 4))
    boxes = DETECTIONS.encode(found, msg.header, {"image_size": (msg.width, msg.height)})

    def speak():
        images.publish(msg)
        detections.publish(boxes)

    graph.until(lambda: results, "crops", again=speak)
    assert results[0].header == msg.header
    assert (results[0].image_width, results[0].image_height) == (msg.width, msg.height)
    crops, expected = port_message("Crops").decode(results[0]).value, CropConfig()
    wanted = cut_crops(image_from_msg(msg), found.boxes_xyxy, expected.size, expected.window)
    torch.testing.assert_close(crops, wanted, rtol=0, atol=0)


def test_an_unreadable_image_is_skipped_and_reported(graph, reports, brightness):
    node = graph.start(StageNode, pipeline=brightness, stage="brightness")
    images = graph.publisher(Image, "image_raw")
    broken = image_msg()
    broken.encoding = "smell8"
    refused = lambda: node.inputs[0].record.refused >= 1  # noqa: E731
    graph.until(refused, "a refusal", again=lambda: images.publish(broken))
    results = graph.hear(PointStamped, "brightness")
    graph.until(lambda: results, "brightness", again=lambda: images.publish(image_msg()))


def test_the_life_cycle_is_that_of_the_other_nodes(graph, reports, brightness):
    node = graph.start(
        StageNode, pipeline=brightness, stage="brightness", brightness__weights="/nowhere"
    )
    part = "stage_node: node"
    graph.until(lambda: reports.level(part) == Level.ERROR, "an error")
    assert "cannot configure" in reports.text(part)
    assert not node.hosted.is_loaded


def test_inputs_of_different_stamps_never_meet_and_the_node_says_so(
    graph, reports, tmp_path, brightness
):
    path = tmp_path / "two_eyes.yaml"
    path.write_text(
        "inputs: {left: Brightness, right: Brightness}\n"
        "stages:\n"
        "  both: {module: brighter, inputs: {left: left, right: right}, outputs: {most: most}}\n"
        "outputs: {most: most}\n"
    )
    graph.start(StageNode, pipeline=str(path), stage="both")
    results = graph.hear(PointStamped, "most")
    left, right = (graph.publisher(PointStamped, side) for side in ("left", "right"))
    graph.connected(left)
    graph.connected(right)
    clock = iter(range(1, 10_000))

    def apart():
        for publisher in (left, right):
            msg = PointStamped()
            msg.header.stamp.sec = next(clock)
            publisher.publish(msg)

    part = "stage_node: inputs"
    graph.until(lambda: "equal stamps on /left, /right" in reports.text(part), "a report", apart)
    assert not results

    def together():
        stamp = next(clock)
        for publisher, value in ((left, 0.25), (right, 0.75)):
            msg = PointStamped()
            msg.header.stamp.sec, msg.point.x = stamp, value
            publisher.publish(msg)

    graph.until(lambda: results, "a result", together)
    assert results[0].point.x == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("stage", "fault"), [("radar", "no stage 'radar'"), ("", "no stage ''")], ids=["gone", "none"]
)
def test_a_stage_that_the_pipeline_lacks_is_named(context, stage, fault):
    from rclpy.parameter import Parameter

    with pytest.raises(PipelineError, match=f"{fault}, expected some of detector, segmenter"):
        StageNode(context=context, parameter_overrides=[Parameter("stage", value=stage)])


def test_the_program_finds_the_package_of_a_user(graph, tmp_path):
    program = Path(get_package_prefix("conegrad_nodes")) / "lib/conegrad_nodes/stage_node"
    with brightness_package(tmp_path / "site") as paths:
        found = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
        pipeline = write_brightness_pipeline(tmp_path)
        options = ["-p", f"pipeline:={pipeline}", "-p", "stage:=brightness"]
        process = WarmProcess(
            [sys.executable, program, "--ros-args", *options],
            env={**os.environ, "PYTHONPATH": found},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            results = graph.hear(PointStamped, "brightness")
            images, msg = graph.publisher(Image, "image_raw"), image_msg()
            graph.until(lambda: results, "brightness", again=lambda: images.publish(msg))
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert results[0].point.x == pytest.approx(mean_brightness(msg), abs=1e-5)
