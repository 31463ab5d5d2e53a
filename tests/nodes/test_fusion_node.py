"""The fusion node, and all three together, through real topics."""

import functools
import math
import time
from array import array

import numpy as np
import pytest

pytest.importorskip("rclpy")

from conegrad_msgs.msg import ConeArray, ConeDetection, ConeDetectionArray, ScanSegmentation
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
from std_msgs.msg import Float64
from visualization_msgs.msg import MarkerArray

from conegrad_core.fusion.traced import TracedFuser
from conegrad_data.status.part_status import Level
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode

pytestmark = pytest.mark.ros


def segmentation(stamp, cone_at=4.0):
    """A cone of five beams straight ahead, 90 beams on each side without a return."""
    ranges = np.full(181, np.nan, dtype=np.float32)
    ranges[88:93] = cone_at
    msg = ScanSegmentation(angle_min=-1.5, angle_increment=3.0 / 180, range_max=30.0)
    msg.header.frame_id = "lidar"
    set_stamp(msg.header, stamp)
    msg.ranges = array("f", ranges.tobytes())
    msg.logits = array("f", np.full(181, 6.0, dtype=np.float32).tobytes())
    return msg


def detections(stamp, size=(160, 96), logit=6.0):
    """A blue cone, 4.1 m before the LiDAR and 4.6 m before the camera at (0.5, 0, 1) m."""
    msg = ConeDetectionArray(image_width=size[0], image_height=size[1])
    msg.header.frame_id = "camera_optical"
    set_stamp(msg.header, stamp)
    msg.class_names = ["yellow", "blue", "small_orange", "big_orange"]
    depth, focal = 4.6, 80.0
    bottom, top = 48 + focal * 1.0 / depth, 48 + focal * 0.675 / depth
    msg.detections = [
        ConeDetection(
            center_u=80.0, center_v=(top + bottom) / 2, width=0.228 * focal / depth,
            height=bottom - top, class_logits=[-6.0, logit, -6.0, -6.0], score=0.99,
        )
    ]  # fmt: skip
    return msg


def set_stamp(header, stamp):
    header.stamp.sec, header.stamp.nanosec = divmod(round(stamp * 1e9), 10**9)


@pytest.fixture
def fusion(graph, frames_file):
    def start(**parameters):
        return graph.start(
            FusionNode,
            calibration__extrinsics="file", calibration__file=frames_file, **parameters,
        )  # fmt: skip

    return start


class Talker:
    """Publishes the inputs of the fusion; their stamps go on as time does."""

    def __init__(self, graph, messages):
        self.detections = graph.publisher(ConeDetectionArray, "detections")
        self.segmentation = graph.publisher(ScanSegmentation, "segmentation")
        self.camera_info = graph.publisher(CameraInfo, "camera_info")
        self.info = messages.camera_info()
        self.stamp = 100.0
        self._spoke = time.monotonic()

    def speak(self, camera=True, lidar=True, info=True, size=(160, 96)):
        now = time.monotonic()
        self.stamp += max(now - self._spoke, 0.01)  # one behind the others would be refused
        self._spoke = now
        if info:
            self.camera_info.publish(self.info)
        if camera:
            self.detections.publish(detections(self.stamp, size))
        if lidar:
            self.segmentation.publish(segmentation(self.stamp))


@pytest.fixture
def talker(graph, messages):
    return Talker(graph, messages)


def test_fuses_box_and_segment_to_one_blue_cone_in_the_frame_of_the_lidar(graph, fusion, talker):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    graph.until(lambda: any(a.camera_used and a.lidar_used for a in answers), "cones", talker.speak)
    both = next(a for a in answers if a.camera_used and a.lidar_used)
    assert both.header.frame_id == "lidar"
    assert both.header.stamp == both.lidar_stamp == both.camera_stamp
    assert len(both.cones) == 1
    cone = both.cones[0]
    assert cone.position.x == pytest.approx(4.07, abs=0.1)
    assert cone.position.y == pytest.approx(0.0, abs=0.05)
    assert cone.position.z == pytest.approx(-0.15)
    assert cone.colour == cone.BLUE
    assert cone.source == cone.SOURCE_BOTH


def test_publishes_the_lidar_alone_when_the_camera_is_lost(graph, fusion, talker):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    graph.until(lambda: any(a.camera_used for a in answers), "cones of both", talker.speak)
    graph.until(
        lambda: any(a.lidar_used and not a.camera_used for a in answers),
        "cones of the LiDAR alone",
        lambda: talker.speak(camera=False),
    )
    alone = next(a for a in answers if not a.camera_used)
    assert (alone.camera_stamp.sec, alone.camera_stamp.nanosec) == (0, 0)
    assert [c.colour for c in alone.cones] == [0]  # nobody knows the colour


def test_publishes_the_camera_alone_when_the_lidar_is_lost(graph, fusion, talker, reports):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    graph.until(lambda: any(a.lidar_used for a in answers), "cones of both", talker.speak)
    graph.until(
        lambda: any(a.camera_used and not a.lidar_used for a in answers),
        "cones of the camera alone",
        lambda: talker.speak(lidar=False),
    )
    alone = next(a for a in answers if not a.lidar_used)
    assert alone.header.frame_id == "lidar"
    assert alone.header.stamp == alone.camera_stamp
    graph.until(
        lambda: "segmentation" in reports.text("fusion_node: pairing"),
        "the reason in a report",
        lambda: talker.speak(lidar=False),
    )
    assert reports.level("fusion_node: pairing") == Level.WARN


def test_no_cones_without_camera_info_and_the_report_says_so(graph, fusion, talker, reports):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: calibration"
    graph.until(
        lambda: "nothing received on camera_info" in reports.text(part),
        "a report",
        lambda: talker.speak(info=False),
    )
    assert reports.level(part) == Level.ERROR
    assert not answers
    graph.until(lambda: answers, "cones after camera_info came", talker.speak)


def test_a_camera_alone_gives_cones_in_the_frame_of_the_base(graph, fusion, talker):
    fusion()
    answers = graph.hear(ConeArray, "cones")

    def speak():
        talker.speak(camera=False, lidar=False)
        talker.detections.publish(detections(talker.stamp, logit=0.5))  # a box of middling score

    graph.until(lambda: any(a.cones for a in answers), "cones of a camera alone", speak)
    alone = next(a for a in answers if a.cones)
    assert alone.header.frame_id == "base_link"
    assert alone.camera_used
    assert not alone.lidar_used
    (cone,) = alone.cones
    assert cone.position.x == pytest.approx(5.1, abs=0.4)  # the image is 160 px wide
    assert (cone.position.y, cone.position.z) == pytest.approx((0.0, 0.0), abs=0.05)
    assert cone.existence > 0.5


def test_a_lidar_alone_needs_no_calibration_of_a_camera(graph, fusion, talker, reports):
    fusion(pairing__trigger="lidar")
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: calibration"
    speak = functools.partial(talker.speak, camera=False, info=False)
    graph.until(lambda: answers, "cones of the LiDAR alone", speak)
    graph.until(lambda: reports.level(part) == Level.OK, "a report", speak)
    assert answers[0].lidar_used
    assert not answers[0].camera_used
    assert [cone.position.z for cone in answers[0].cones] == pytest.approx([-0.15])
    expected = "nothing received on camera_info"
    graph.until(
        lambda: expected in reports.text(part), "a report", lambda: talker.speak(info=False)
    )


def test_no_cones_without_extrinsics_and_the_report_names_the_frames(
    graph, talker, reports, tmp_path
):
    path = tmp_path / "frames.yaml"
    path.write_text(
        "frames: [{parent: base_link, child: lidar, translation: [0, 0, 1],"
        " quaternion: [0, 0, 0, 1]}]"
    )
    graph.start(FusionNode, calibration__extrinsics="file", calibration__file=str(path))
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: calibration"
    expected = "no extrinsics from 'lidar' to 'camera_optical'"
    graph.until(lambda: expected in reports.text(part), "a report", talker.speak)
    assert "frames known there: base_link, lidar" in reports.text(part)
    assert not answers


def test_refuses_intrinsics_of_another_image_size(graph, fusion, talker, reports):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: calibration"
    graph.until(
        lambda: "images are 320x192 px, but the intrinsics are for 160x96" in reports.text(part),
        "a report",
        lambda: talker.speak(size=(320, 192)),
    )
    assert not answers


def test_cones_come_back_with_intrinsics_of_the_right_size(graph, fusion, talker, reports):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: calibration"
    right, talker.info = talker.info, CameraInfo(width=320, height=192, k=talker.info.k)
    graph.until(
        lambda: "images are 160x96 px, but the intrinsics are for 320x192" in reports.text(part),
        "a report",
        talker.speak,
    )
    assert not answers
    talker.info = right
    graph.until(lambda: answers, "cones", talker.speak)


@pytest.mark.parametrize(
    ("k", "reason"),
    [
        pytest.param([0.0] * 9, "expected a calibrated camera", id="not calibrated"),
        pytest.param([80.0, 0, math.nan, 0, 80.0, 48.0, 0, 0, 1.0], "nan", id="not finite"),
    ],
)
def test_camera_info_that_cannot_be_used_is_skipped(graph, fusion, talker, reports, k, reason):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: input /camera_info"
    right, talker.info = talker.info, CameraInfo(width=160, height=96, k=k)
    graph.until(lambda: reason in reports.text(part), "a report", talker.speak)
    assert reports.level(part) == Level.ERROR
    assert not answers
    talker.info = right
    graph.until(lambda: answers, "cones", talker.speak)


def test_says_when_motion_within_scans_is_not_compensated(graph, fusion, talker, reports):
    fusion()
    scan = segmentation(0.0)
    scan.times = array("f", np.linspace(0.0, 0.1, 181, dtype=np.float32).tobytes())

    def speak():
        talker.speak(lidar=False)
        set_stamp(scan.header, talker.stamp)
        talker.segmentation.publish(scan)

    graph.until(
        lambda: "scans take 0.100 s and no odometry" in reports.text("fusion_node: motion"),
        "a report",
        speak,
    )


def test_odometry_that_is_not_finite_is_skipped_and_cones_go_on(graph, fusion, talker, reports):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    publisher = graph.publisher(Odometry, "odom")
    bad = Odometry()
    bad.pose.pose.position.x = math.nan
    part = "fusion_node: input /odom"

    def speak():
        set_stamp(bad.header, talker.stamp)
        publisher.publish(bad)
        talker.speak()

    graph.until(lambda: "pose (x, y, quaternion) is (nan" in reports.text(part), "a report", speak)
    count = len(answers)
    graph.until(lambda: len(answers) > count + 2, "further cones", speak)
    assert all(math.isfinite(cone.position.x) for a in answers for cone in a.cones)


def test_says_when_an_input_stops_and_when_it_is_back(graph, fusion, talker, reports):
    fusion(input_timeout=0.3)
    part = "fusion_node: input /segmentation"
    graph.until(
        lambda: (
            reports.text(part) == "receiving /segmentation"
            or "behind the node's clock" in reports.text(part)
        ),
        "receiving",
        talker.speak,
    )
    graph.until(lambda: "/segmentation stopped" in reports.text(part), "stopped")
    assert reports.level(part) == Level.STALE


def test_a_stranger_who_publishes_results_is_named(graph, fusion, talker, reports, monkeypatch):
    monkeypatch.setattr("conegrad_data.status.publisher_watch.SETTLED", 0.0)
    fusion()
    stranger = graph.add(Node("stranger", context=graph.context))
    stranger.create_publisher(ScanSegmentation, "segmentation", 5)
    stranger.create_publisher(ConeArray, "cones", 5)
    graph.until(
        lambda: "/peer, /stranger" in reports.text("fusion_node: input /segmentation"),
        "a report",
        again=talker.speak,
    )
    graph.until(
        lambda: "/fusion_node, /stranger" in reports.text("fusion_node: output /cones"), "a report"
    )


def test_says_when_stamps_are_off_the_clock(graph, fusion, talker, reports):
    fusion()
    part = "fusion_node: input /detections"
    graph.until(
        lambda: (
            reports.level(part) == Level.WARN and "behind the node's clock" in reports.text(part)
        ),
        "a report",
        talker.speak,
    )
    clock = "fusion_node: clock"
    graph.until(lambda: "set use_sim_time" in reports.text(clock), "a report", talker.speak)
    talker.stamp = time.time()
    graph.until(
        lambda: reports.text(part) == "receiving /detections",
        "all is well",
        lambda: (setattr(talker, "stamp", time.time()), talker.speak()),
    )


def test_markers_and_points_are_made_only_for_subscribers(graph, fusion, talker):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    graph.until(lambda: any(a.cones for a in answers), "cones", talker.speak)
    markers = graph.hear(MarkerArray, "cone_markers")
    points = graph.hear(PointCloud2, "cone_points")
    latency = graph.hear(Float64, "fusion_node/processing_latency")
    graph.until(
        lambda: (
            latency and any(len(m.markers) > 1 for m in markers) and any(p.width for p in points)
        ),
        "markers, points and latency",
        talker.speak,
    )
    shown = next(m for m in markers if len(m.markers) > 1)
    assert {m.ns for m in shown.markers[1:]} == {"cones", "covariance"}
    assert 0 < latency[-1].data < 5


def test_a_bag_that_starts_again_is_fused_again(graph, fusion, talker):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    graph.until(lambda: answers, "cones", talker.speak)
    talker.stamp = 10.0
    graph.until(
        lambda: any(a.header.stamp.sec in (10, 11) for a in answers), "cones again", talker.speak
    )


def test_image_and_scan_become_cones_in_one_graph(
    graph, fusion, messages, camera_parameters, lidar_parameters
):
    graph.start(CameraNode, **camera_parameters)
    graph.start(LidarNode, **lidar_parameters)
    fusion(min_existence=0.001)
    answers = graph.hear(ConeArray, "cones")
    image, scan = graph.publisher(Image, "image_raw"), graph.publisher(LaserScan, "scan")
    info = graph.publisher(CameraInfo, "camera_info")
    stamps = iter(range(1, 1000))

    def speak():
        stamp = next(stamps)
        info.publish(messages.camera_info())
        scan.publish(messages.scan(stamp=stamp))
        image.publish(messages.image(stamp=stamp))

    graph.until(lambda: any(a.camera_used and a.lidar_used for a in answers), "fused cones", speak)


def test_cones_that_are_not_finite_are_withheld_and_told(
    graph, fusion, talker, reports, monkeypatch
):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    real, is_broken = TracedFuser.__call__, True

    def fused(self, *inputs):
        cones = real(self, *inputs)
        return cones._replace(positions=cones.positions * math.nan) if is_broken else cones

    monkeypatch.setattr(TracedFuser, "__call__", fused)
    graph.until(
        lambda: "positions of cones are not finite" in reports.text("fusion_node: fusion"),
        "the reason in a report",
        again=talker.speak,
    )
    assert answers == []
    is_broken = False
    graph.until(lambda: answers, "cones", again=talker.speak)


def test_odometry_that_jumps_beyond_any_map_is_told_and_costs_no_cones(
    graph, fusion, talker, reports
):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    poses = graph.publisher(Odometry, "odom")

    def speak(x):
        talker.speak()
        msg = Odometry()
        set_stamp(msg.header, talker.stamp)
        msg.pose.pose.position.x, msg.pose.pose.orientation.w = x, 1.0
        poses.publish(msg)

    graph.until(lambda: answers, "cones", lambda: speak(0.0))
    graph.until(
        lambda: "position.x is 1e+39" in reports.text("fusion_node: input /odom"),
        "the reason in a report",
        lambda: speak(1e39),
    )
    before = len(answers)
    graph.until(lambda: len(answers) > before + 5, "more cones", lambda: speak(1e7 * talker.stamp))
    assert all(np.isfinite(c.position.x) for a in answers for c in a.cones)
    assert all(len(a.cones) == 1 for a in answers if a.camera_used and a.lidar_used)


def test_a_lidar_whose_clock_is_ahead_is_told_and_the_camera_goes_on_alone(
    graph, fusion, talker, reports
):
    fusion()
    answers = graph.hear(ConeArray, "cones")
    part = "fusion_node: input /segmentation"

    def speak(lidar_ahead=37.0):
        now = time.time()
        talker.camera_info.publish(talker.info)
        talker.detections.publish(detections(now))
        talker.segmentation.publish(segmentation(now + lidar_ahead))

    graph.until(lambda: any(a.camera_used for a in answers), "cones of the camera", speak)
    graph.until(lambda: "TAI for UTC?" in reports.text(part), "a report", speak)
    assert not any(a.lidar_used for a in answers)
    assert all(a.header.stamp.sec < time.time() + 1 for a in answers)
    graph.until(
        lambda: any(a.camera_used and a.lidar_used for a in answers),
        "cones of both",
        lambda: speak(lidar_ahead=0.0),
    )


def test_keypoints_that_do_not_come_beside_their_detections_are_named(
    graph, reports, fusion, talker
):
    fusion(pipeline="camera_keypoints")
    answers = graph.hear(ConeArray, "cones")
    speak = functools.partial(talker.speak, lidar=False)
    part = "fusion_node: results of camera"
    graph.until(lambda: reports.text(part) != "", "a report", speak)
    assert reports.level(part) == Level.WARN
    assert "nothing with the stamps of /detections on /keypoints" in reports.text(part)
    assert "nothing received on /keypoints" in reports.text("fusion_node: input /keypoints")
    assert "/segmentation" not in "".join(reports.latest)
    assert not answers
