"""The LiDAR node through real topics."""

import math

import numpy as np
import pytest

pytest.importorskip("rclpy")

from array import array

from conegrad_msgs.msg import ScanSegmentation
from rclpy.parameter import Parameter
from sensor_msgs.msg import LaserScan, PointCloud2, PointField

from conegrad_data.decode import segmentation_from_msg
from conegrad_data.status.part_status import Level
from conegrad_nodes.lidar_node import LidarNode

pytestmark = pytest.mark.ros


def test_segmentation_keeps_the_header_and_geometry_of_the_scan(graph, lidar_parameters, messages):
    graph.start(LidarNode, **lidar_parameters)
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    scan = messages.scan(stamp=7)
    graph.until(lambda: answers, "a segmentation", again=lambda: publisher.publish(scan))
    assert answers[0].header == scan.header
    assert answers[0].angle_min == pytest.approx(-1.5)
    assert answers[0].angle_increment == pytest.approx(3.0 / 180, rel=1e-5)
    assert answers[0].range_max == 30.0
    decoded = segmentation_from_msg(answers[0])
    assert np.flatnonzero(np.isfinite(decoded.ranges.numpy())).tolist() == [88, 89, 90, 91, 92]
    assert np.isfinite(decoded.logits.numpy()).all()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param({"ranges": []}, "ranges has 0 values", id="empty scan"),
        pytest.param({"angle_increment": 0.0}, "angle_increment is 0.0", id="no angle step"),
        pytest.param({"range_max": 0.0}, "range_max is 0.0", id="no range"),
        pytest.param({"angle_increment": 0.25}, "are these degrees?", id="angles in degrees"),
    ],
)
def test_skips_a_bad_scan_says_why_and_lives_on(
    graph, reports, lidar_parameters, messages, bad, reason
):
    graph.start(LidarNode, **lidar_parameters)
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    graph.connected(publisher)
    scan = messages.scan()
    for name, value in bad.items():
        setattr(scan, name, array("f", value) if name == "ranges" else value)
    part = "lidar_node: input /scan"
    graph.until(
        # A scan that has come in and is not judged yet makes it a warning.
        lambda: reason in reports.text(part) and reports.level(part) == Level.ERROR,
        f"an error with {reason!r}",
        again=lambda: publisher.publish(scan),
    )
    assert not answers
    graph.until(lambda: answers, "a segmentation", again=lambda: publisher.publish(messages.scan()))


def test_takes_nan_inf_and_a_beam_count_that_changes_mid_drive(graph, lidar_parameters, messages):
    graph.start(LidarNode, **lidar_parameters)
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    ranges = np.array([np.nan, np.inf, -np.inf, 0.0, 5.0, -1.0, 31.0] * 20)
    for count, beams in enumerate((140, 70, 35)):
        scan = messages.scan(stamp=count + 1, beams=beams, ranges=ranges[:beams])
        graph.until(
            lambda n=beams: any(len(a.ranges) == n for a in answers),
            f"a segmentation of {beams} beams",
            again=lambda scan=scan: publisher.publish(scan),
        )
    kept = np.asarray(next(a for a in answers if len(a.ranges) == 35).ranges)
    assert np.flatnonzero(np.isfinite(kept)).tolist() == [4, 11, 18, 25, 32]


def test_follows_a_geometry_that_changes_mid_drive(graph, lidar_parameters, messages):
    graph.start(LidarNode, **lidar_parameters)
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    upright, hanging = messages.scan(stamp=1), messages.scan(stamp=2)
    hanging.angle_min, hanging.angle_max = 2.0, -1.0
    hanging.angle_increment = -upright.angle_increment  # clockwise
    for scan in (upright, hanging):
        graph.until(
            lambda stamp=scan.header.stamp: any(a.header.stamp == stamp for a in answers),
            "its segmentation",
            again=lambda scan=scan: publisher.publish(scan),
        )
    turned = next(a for a in answers if a.header.stamp.sec == 2)
    # 180 steps of 1/60 rad before the first beam, which was the last.
    assert turned.angle_min == pytest.approx(2.0 - 3.0)
    assert turned.angle_increment == pytest.approx(3.0 / 180, rel=1e-4)


def test_a_cloud_that_does_not_fit_its_fields_is_skipped(graph, reports, lidar_parameters):
    graph.start(LidarNode, input="points", **lidar_parameters)
    publisher = graph.publisher(PointCloud2, "points")
    cloud = PointCloud2(height=1, width=1, point_step=4, row_step=4, data=array("B", bytes(4)))
    cloud.fields = [PointField(name="x", offset=8, datatype=PointField.FLOAT32, count=1)]
    part = "lidar_node: input /points"
    graph.until(
        lambda: "do not fit a point_step of 4" in reports.text(part),
        "a report",
        again=lambda: publisher.publish(cloud),
    )
    empty = PointCloud2(height=1, width=0, point_step=12)
    empty.fields = [
        PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
        for place, name in enumerate("xyz")
    ]
    graph.until(
        lambda: "the cloud has 0 points" in reports.text(part),
        "a report about the empty cloud",
        again=lambda: publisher.publish(empty),
    )


def test_what_is_probably_wrong_with_a_scan_is_reported(graph, lidar_parameters, reports, messages):
    graph.start(LidarNode, **lidar_parameters)
    publisher = graph.publisher(LaserScan, "scan")
    scan = messages.scan()
    scan.angle_max = math.nan
    graph.until(
        lambda: "angle_max is nan and counts as not set" in reports.text("lidar_node: scan"),
        "a report",
        again=lambda: publisher.publish(scan),
    )


def test_reduces_point_clouds_to_a_scan(graph, lidar_parameters):
    graph.start(
        LidarNode, input="points", reduction__sensor_height=0.5, reduction__beams=360,
        **lidar_parameters,
    )  # fmt: skip
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(PointCloud2, "points")
    points = np.array([[4.0, 0.0, -0.3], [4.0, 0.0, -0.5], [6.0, 0.0, 2.0]], dtype=np.float32)
    cloud = PointCloud2(height=1, width=3, point_step=12, row_step=36)
    cloud.fields = [
        PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
        for place, name in enumerate("xyz")
    ]
    cloud.data = array("B", points.tobytes())
    graph.until(lambda: answers, "a segmentation", again=lambda: publisher.publish(cloud))
    ranges = np.asarray(answers[0].ranges)
    # Ground (0 m) and the return 2.5 m above it are left out.
    assert ranges[180] == pytest.approx(4.0)
    assert np.isfinite(ranges).sum() == 1


def test_a_missing_weights_file_fails_configure_and_is_reported(graph, reports):
    node = graph.start(LidarNode, segmenter__weights="/nowhere/scan.safetensors")
    part = "lidar_node: node"
    graph.until(lambda: reports.level(part) == Level.ERROR, "a report")
    assert "/nowhere/scan.safetensors does not exist" in reports.text(part)
    assert node._state_machine.current_state[1] == "unconfigured"


def test_a_parameter_that_no_node_has_is_reported(graph, reports, lidar_parameters):
    graph.start(LidarNode, segmenter__weight="x", detector__engine="onnx", **lidar_parameters)
    part = "lidar_node: parameters"
    graph.until(lambda: part in reports.latest, "a report")
    expected = "parameter segmenter.weight is unknown, did you mean segmenter.weights?"
    assert reports.text(part) == expected
    assert reports.level(part) == Level.WARN


def test_says_that_simulated_time_has_no_clock(graph, reports, lidar_parameters):
    graph.start(LidarNode, use_sim_time=True, **lidar_parameters)
    part = "lidar_node: node"
    graph.until(lambda: "nothing is published on /clock" in reports.text(part), "a report")
    assert reports.level(part) == Level.WARN


def test_cleanup_releases_the_model_and_configure_loads_it_again(graph, lidar_parameters, messages):
    node = graph.start(LidarNode, **lidar_parameters)
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert not node.hosted.is_loaded
    node.start()
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    graph.until(lambda: answers, "a segmentation", again=lambda: publisher.publish(messages.scan()))


def test_weights_may_be_corrected_by_a_parameter_while_the_node_is_unconfigured(
    graph, reports, lidar_weights
):
    node = graph.start(LidarNode, segmenter__weights="/nowhere")
    part = "lidar_node: node"
    graph.until(lambda: "/nowhere" in reports.text(part), "a report")
    [result] = node.set_parameters([Parameter("segmenter.weights", value=lidar_weights)])
    assert result.successful
    node.start()
    graph.until(lambda: reports.text(part) == "active", "an active node")
    [refused] = node.set_parameters([Parameter("segmenter.weights", value="/nowhere")])
    assert not refused.successful
    assert refused.reason == (
        "segmenter.weights: may be set while the node is unconfigured, it is active"
    )


def test_a_setting_that_is_read_once_cannot_be_set(graph, lidar_parameters):
    node = graph.start(LidarNode, **lidar_parameters, autostart=False)
    [refused] = node.set_parameters([Parameter("input", value="points")])
    assert not refused.successful
