"""The LiDAR node through real topics."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from array import array

from conegrad_msgs.msg import ScanSegmentation
from sensor_msgs.msg import LaserScan, PointCloud2, PointField

from conegrad_nodes.decode import segmentation_from_msg
from conegrad_nodes.findings import Level
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
        lambda: reason in reports.text(part),
        f"a report with {reason!r}",
        again=lambda: publisher.publish(scan),
    )
    assert reports.level(part) == Level.ERROR
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


def test_cleanup_releases_the_model_and_configure_loads_it_again(graph, lidar_parameters, messages):
    node = graph.start(LidarNode, **lidar_parameters)
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node._segmenter is None
    node.start()
    answers = graph.hear(ScanSegmentation, "segmentation")
    publisher = graph.publisher(LaserScan, "scan")
    graph.until(lambda: answers, "a segmentation", again=lambda: publisher.publish(messages.scan()))
