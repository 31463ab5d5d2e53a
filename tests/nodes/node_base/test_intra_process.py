"""Results that go from node to node of a process without the middleware."""

import gc
import weakref

import pytest
import torch

pytest.importorskip("rclpy")

from conegrad_msgs.msg import ConeArray, ConeDetectionArray, ScanSegmentation
from rclpy import Context
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from conegrad_data.decode import segmentation_from_msg
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.intra_process import publish, subscribe, unsubscribe

pytestmark = pytest.mark.ros


@pytest.fixture
def perception(graph, frames_file, camera_parameters, lidar_parameters):
    """All three nodes in one process; gives the fusion node."""
    graph.start(CameraNode, **camera_parameters)
    graph.start(LidarNode, **lidar_parameters)
    return graph.start(FusionNode, calibration__extrinsics="file", calibration__file=frames_file)


class Sensors:
    """Publishes an image and a scan of each instant.

    A millisecond of stamps for the twentieth of a second that passes: a sensor that a busy machine
    delays is then no silent one, and nothing comes too late for the pairing.
    """

    def __init__(self, graph, messages):
        self.image = graph.publisher(Image, "image_raw")
        self.scan = graph.publisher(LaserScan, "scan")
        self.info = graph.publisher(CameraInfo, "camera_info")
        self.messages, self.millisecond = messages, 0

    def speak(self):
        self.millisecond += 1
        image, scan = self.messages.image(), self.messages.scan()
        for msg in (image, scan):
            msg.header.stamp.nanosec = self.millisecond * 1_000_000
        self.info.publish(self.messages.camera_info())
        self.scan.publish(scan)
        self.image.publish(image)


def test_each_result_counts_once_although_its_message_arrives_too(
    graph, perception, messages, reports
):
    sensors = Sensors(graph, messages)
    detections = graph.hear(ConeDetectionArray, "detections")
    segmentations = graph.hear(ScanSegmentation, "segmentation")
    cones = graph.hear(ConeArray, "cones")
    graph.until(lambda: len(cones) >= 5, "cones", sensors.speak)
    seen, sent = perception.inputs[0].record, len(cones)
    graph.until(lambda: len(detections) >= sent and len(segmentations) >= sent, "messages")
    assert seen.received <= len(detections) + 1  # one may be on its way to the listener here
    stamps = [c.camera_stamp.nanosec for c in cones if c.camera_used]
    assert len(stamps) == len(set(stamps))
    graph.until(lambda: reports.text("fusion_node: pairing") != "", "diagnostics")
    values = {v.key: v.value for v in reports.latest["fusion_node: pairing"].values}
    assert values["dropped"] == "0"


def test_a_result_is_given_to_the_listeners_of_its_topic_and_context():
    context, other, received = Context(), Context(), []

    def subscriber(msg, result):
        received.append((msg, result))

    subscribe(context, "/detections", subscriber)
    publish(context, "/detections", "msg", "result")
    publish(context, "/front/detections", "msg", "of another topic")
    publish(other, "/detections", "msg", "of another context")
    unsubscribe(context, "/detections", subscriber)
    publish(context, "/detections", "msg", "too late")
    assert received == [("msg", "result")]


def test_subscribers_end_with_their_context():
    received = []
    for _ in range(3):  # a new context may get the place of an old one in memory
        context = Context()
        publish(context, "/detections", "msg", "result")
        subscribe(context, "/detections", lambda msg, result: received.append(result))
        reference = weakref.ref(context)
        del context
        gc.collect()
        assert reference() is None
    assert received == []


@pytest.mark.parametrize("broken", ["detections", "segmentation"])
def test_a_result_that_is_not_finite_is_refused_by_name(
    graph, perception, messages, broken, monkeypatch
):
    # As of an engine in half precision; one such row would take all cones of the frame with it.
    node_class = CameraNode if broken == "detections" else LidarNode
    run_stages = node_class.run_stages

    def run_broken(self, values):
        result = run_stages(self, values)[broken]
        return {broken: result._replace(logits=torch.full_like(result.logits, torch.nan))}

    monkeypatch.setattr(node_class, "run_stages", run_broken)
    node = next(node for node in graph.nodes if isinstance(node, node_class))
    (source,), sensors = node.inputs, Sensors(graph, messages)
    graph.until(lambda: source.record.refused >= 2, "refusals", sensors.speak)
    assert "a logit is not finite" in source.record.refusal


def test_the_fusion_refuses_a_result_that_is_handed_over_with_nan(graph, perception, messages):
    sensors = Sensors(graph, messages)
    segmentations = graph.hear(ScanSegmentation, "segmentation")
    graph.until(lambda: len(segmentations) >= 1, "a segmentation", sensors.speak)
    segmented = segmentation_from_msg(segmentations[0])
    broken = segmented._replace(logits=torch.full_like(segmented.logits, torch.nan))
    record = next(i.record for i in perception.inputs if i.record.topic == "/segmentation")
    before = record.refused
    publish(graph.context, "/segmentation", segmentations[0], broken)
    assert record.refused == before + 1
    assert "a logit is not finite" in record.refusal


def test_an_input_that_is_closed_takes_nothing(graph, perception):
    perception.trigger_deactivate()
    before = perception.inputs[0].record.received
    publish(graph.context, "/detections", None, None)
    assert perception.inputs[0].record.received == before


def test_messages_after_a_new_start_count_whatever_was_handed_over_before(
    graph, perception, messages
):
    sensors = Sensors(graph, messages)
    detections = graph.hear(ConeDetectionArray, "detections")
    graph.until(lambda: len(detections) >= 3, "detections", sensors.speak)
    perception.trigger_deactivate()
    perception.trigger_activate()
    publisher = graph.publisher(ConeDetectionArray, "detections")
    record = perception.inputs[0].record
    graph.until(lambda: record.received > 0, "a message", lambda: publisher.publish(detections[0]))
