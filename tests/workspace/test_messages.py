"""The messages: names, constants, types, and what a round trip over the wire keeps."""

import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = sorted((ROOT / "src/conegrad_msgs").glob("msg/*.msg"))

pytestmark = pytest.mark.ros


@pytest.fixture
def messages():
    pytest.importorskip("rclpy")
    return pytest.importorskip("conegrad_msgs.msg")


def test_colours_are_numbered_from_unknown_to_big_orange(messages):
    cone = messages.Cone
    colours = (cone.UNKNOWN, cone.BLUE, cone.YELLOW, cone.SMALL_ORANGE, cone.BIG_ORANGE)
    assert colours == (0, 1, 2, 3, 4)


def test_both_sources_are_the_union_of_camera_and_lidar(messages):
    cone = messages.Cone
    assert cone.SOURCE_BOTH == cone.SOURCE_CAMERA | cone.SOURCE_LIDAR == 3


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_every_message_file_is_built(messages, path):
    assert hasattr(messages, path.stem)


@pytest.mark.parametrize(
    "name",
    [
        "ConeDetectionArray",
        "ScanSegmentation",
        "ConeArray",
        "TrainingStatus",
        "TruthCones",
        "PortGradient",
        "PortTensors",
        "GradientReceipt",
    ],
)
def test_every_published_message_has_a_header(messages, name):
    fields = getattr(messages, name).get_fields_and_field_types()
    assert fields["header"] == "std_msgs/Header"


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_every_message_file_explains_itself_first(path):
    assert re.match(r"# [A-Z].+\.$", path.read_text().splitlines()[0])


def test_a_new_cone_array_used_no_sensor(messages):
    cones = messages.ConeArray()
    assert (cones.camera_used, cones.lidar_used) == (False, False)
    assert (cones.camera_stamp.sec, cones.lidar_stamp.nanosec) == (0, 0)


def test_segmentation_keeps_nan_and_saturated_logits_over_the_wire(messages):
    from rclpy.serialization import deserialize_message, serialize_message

    sent = messages.ScanSegmentation(ranges=[math.nan, 2.5], logits=[-200.0, 200.0])
    received = deserialize_message(serialize_message(sent), messages.ScanSegmentation)
    assert math.isnan(received.ranges[0])
    assert list(received.ranges[1:]) == [2.5]
    assert list(received.logits) == [-200.0, 200.0]


def test_cones_arrive_as_sent_over_a_topic(messages, context):
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    node = Node("message_test", context=context)
    received = []
    node.create_subscription(messages.ConeArray, "cones", received.append, 1)
    publisher = node.create_publisher(messages.ConeArray, "cones", 1)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    cone = messages.Cone(colour=messages.Cone.YELLOW, covariance=[0.25, 0.125, 0.125, 0.5])
    cone.position.x, cone.position.y = 3.5, -1.25
    sent = messages.ConeArray(cones=[cone], lidar_used=True)

    for _ in range(100):
        publisher.publish(sent)
        executor.spin_once(timeout_sec=0.1)
        if received:
            break
    node.destroy_node()

    assert received, "no message came back within 100 tries of 0.1 s"
    assert received[0] == sent


def test_training_can_be_asked_for_as_an_action(messages):
    actions = pytest.importorskip("conegrad_msgs.action")
    goal = actions.Train.Goal(bags=["drive.mcap"], pattern="alternating", steps=150)
    assert (list(goal.bags), goal.pattern, goal.steps) == (["drive.mcap"], "alternating", 150)
    assert isinstance(actions.Train.Feedback().status, messages.TrainingStatus)
