"""The camera node through real topics."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("rclpy")

from array import array

import cv2
import rclpy
import torch
from conegrad_msgs.msg import ConeDetectionArray
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from safetensors.torch import load_file
from sensor_msgs.msg import CompressedImage, Image

from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.cones import CLASS_NAMES
from conegrad_data.decode import detections_from_msg, image_from_msg
from conegrad_data.status.part_status import Level
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.node_base.qos import LATEST

pytestmark = pytest.mark.ros


def test_detections_are_those_of_the_detector_with_the_header_of_the_image(
    graph, camera_parameters, camera_weights, messages
):
    graph.start(CameraNode, **camera_parameters)
    answers = graph.hear(ConeDetectionArray, "detections")
    publisher = graph.publisher(Image, "image_raw")
    image = messages.image(stamp=7)
    graph.until(lambda: answers, "detections", again=lambda: publisher.publish(image))
    assert answers[0].header == image.header
    assert (answers[0].image_width, answers[0].image_height) == (160, 96)
    assert answers[0].class_names == list(CLASS_NAMES)
    config = DetectorConfig(
        weights=camera_weights, engine="torch", input_width=160, input_height=96
    )
    with torch.inference_mode():
        expected = load_detector(config)([image_from_msg(image)])[0]
    got = detections_from_msg(answers[0])
    torch.testing.assert_close(got.boxes_xyxy, expected.boxes_xyxy, atol=1e-4, rtol=0)
    torch.testing.assert_close(got.logits, expected.logits)


def test_takes_compressed_images(graph, camera_parameters):
    graph.start(CameraNode, image_transport="compressed", **camera_parameters)
    answers = graph.hear(ConeDetectionArray, "detections")
    publisher = graph.publisher(CompressedImage, "image_raw/compressed")
    pixels = np.full((48, 64, 3), 90, dtype=np.uint8)
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    msg = CompressedImage(format="jpeg", data=array("B", data))
    graph.until(lambda: answers, "detections", again=lambda: publisher.publish(msg))
    assert (answers[0].image_width, answers[0].image_height) == (64, 48)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param({"encoding": "8UC3"}, "encoding is '8UC3', expected one of rgb8", id="8UC3"),
        pytest.param({"width": 0, "height": 0}, "the image is 0x0 px", id="no pixels"),
        pytest.param({"step": 10}, "step is 10, expected at least 480", id="rows too short"),
    ],
)
def test_a_bad_image_is_skipped_says_why_and_the_node_lives_on(
    graph, reports, camera_parameters, messages, bad, reason
):
    graph.start(CameraNode, **camera_parameters)
    answers = graph.hear(ConeDetectionArray, "detections")
    publisher = graph.publisher(Image, "image_raw")
    wrong = messages.image()
    for name, value in bad.items():
        setattr(wrong, name, value)
    part = "camera_node: input /image_raw"
    graph.until(
        lambda: reason in reports.text(part) and reports.level(part) == Level.ERROR,
        "a report",
        again=lambda: publisher.publish(wrong),
    )
    assert not answers
    graph.until(lambda: answers, "detections", again=lambda: publisher.publish(messages.image()))


def test_an_image_of_which_the_crop_leaves_nothing_is_skipped_and_the_node_lives_on(
    graph, reports, camera_parameters, messages
):
    # Of 2 rows round(0.5 * 2) and round(0.45 * 2) go: all; of 96 rows 5 stay.
    crop = {"detector__crop_top": 0.5, "detector__crop_bottom": 0.45}
    graph.start(CameraNode, **camera_parameters, **crop)
    answers = graph.hear(ConeDetectionArray, "detections")
    publisher = graph.publisher(Image, "image_raw")
    tiny, part = messages.image(size=(4, 2)), "camera_node: input /image_raw"
    graph.until(
        lambda: (
            "leave nothing of the 2 rows of the image" in reports.text(part)
            and reports.level(part) == Level.ERROR
        ),
        "a report",
        again=lambda: publisher.publish(tiny),
    )
    assert not answers
    graph.until(lambda: answers, "detections", again=lambda: publisher.publish(messages.image()))


def test_debug_image_is_drawn_only_for_subscribers(graph, camera_parameters, messages):
    graph.start(CameraNode, **camera_parameters)
    answers = graph.hear(ConeDetectionArray, "detections")
    publisher = graph.publisher(Image, "image_raw")
    graph.until(lambda: answers, "detections", again=lambda: publisher.publish(messages.image()))
    pictures = []
    graph.peer.create_subscription(Image, "camera_node/debug_image", pictures.append, LATEST)
    graph.until(
        lambda: pictures, "a debug image", again=lambda: publisher.publish(messages.image())
    )
    assert (pictures[0].width, pictures[0].height, pictures[0].encoding) == (160, 96, "rgb8")


def test_names_the_policy_when_qos_does_not_match(graph, reports, camera_parameters):
    graph.start(CameraNode, reliability="reliable", **camera_parameters)
    graph.publisher(Image, "image_raw", ReliabilityPolicy.BEST_EFFORT)
    part = "camera_node: input /image_raw"
    graph.until(lambda: "another reliability" in reports.text(part), "the policy in a report")
    assert reports.level(part) == Level.ERROR


def test_says_that_a_topic_has_no_publisher_or_another_type(
    graph, reports, camera_parameters, domain
):
    graph.start(CameraNode, **camera_parameters)
    part = "camera_node: input /image_raw"
    graph.until(lambda: "no publisher" in reports.text(part), "a report")
    # One DDS participant cannot hold two types of one topic: the other one comes from outside.
    outside = rclpy.Context()
    rclpy.init(context=outside, domain_id=domain)
    stranger = Node("stranger", context=outside)
    stranger.create_publisher(CompressedImage, "image_raw", 1)
    expected = "published as sensor_msgs/msg/CompressedImage, expected sensor_msgs/msg/Image"
    graph.until(lambda: expected in reports.text(part), "the types in a report")
    assert reports.level(part) == Level.ERROR
    stranger.destroy_node()
    rclpy.try_shutdown(context=outside)


class Malicious:
    """Creates a file as soon as it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def write_pickle(path, camera_weights):
    torch.save({"model": Malicious(path.with_name("executed"))}, path)


def write_other_classes(path, camera_weights):
    content = {"architecture": "yolov5n", "class_names": '["person", "dog", "cat", "car"]'}
    torch.save({"weights": load_file(camera_weights), "metadata": content}, path)


def write_right_classes(path, camera_weights):
    content = {"architecture": "yolov5n", "class_names": json.dumps(CLASS_NAMES)}
    torch.save({"weights": load_file(camera_weights), "metadata": content}, path)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (write_pickle, "are a pickle that can execute code and were not loaded"),
        (write_other_classes, "has .*person.*expected"),
    ],
)
def test_weights_that_cannot_be_used_are_reported_and_may_be_replaced_while_the_node_lives(
    graph, reports, camera_parameters, camera_weights, tmp_path, write, reason
):
    path = tmp_path / "cones.pt"
    write(path, camera_weights)
    node = graph.start(CameraNode, **{**camera_parameters, "detector__weights": str(path)})
    part = "camera_node: node"
    graph.until(lambda: reports.level(part) == Level.ERROR, "a report")
    assert re.search(f"cannot configure: .*{reason}", reports.text(part))
    assert not (tmp_path / "executed").exists()
    write_right_classes(path, camera_weights)
    node.start()
    graph.until(lambda: reports.text(part) == "active", "an active node")


def test_an_unexpected_error_in_the_detector_ends_the_node(graph, camera_parameters, messages):
    node = graph.start(CameraNode, **camera_parameters)
    publisher = graph.publisher(Image, "image_raw")
    graph.connected(publisher)

    def broken(values):
        raise RuntimeError("no such device")

    node.run_stages = broken
    with pytest.raises(RuntimeError, match="no such device"):
        graph.until(lambda: False, "an error", again=lambda: publisher.publish(messages.image()))
