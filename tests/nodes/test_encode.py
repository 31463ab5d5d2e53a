"""Containers to messages and back."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from builtin_interfaces.msg import Time
from conegrad_msgs.msg import Cone, ConeArray, ConeDetectionArray, ScanSegmentation
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header

from conegrad_core.camera.image import Detections
from conegrad_core.cones import COLOUR_NAMES, Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.mounting import Ground
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_data.bags.types import default_typestore
from conegrad_data.decode import (
    alarms_from_msg,
    cones_from_msg,
    detections_from_msg,
    image_from_msg,
    points_from_msg,
    reasons_from_msg,
    segmentation_from_msg,
)
from conegrad_data.decode.cones import COLOUR_NUMBERS
from conegrad_nodes.encode import (
    cone_points_to_msg,
    cones_to_msg,
    detections_to_msg,
    image_to_msg,
    markers_to_msg,
    segmentation_to_msg,
)

GROUND = Ground(-0.15)
HEADER = Header(frame_id="lidar", stamp=Time(sec=7, nanosec=8))
CONES = Cones(
    positions=torch.tensor([[4.0, 1.0], [5.0, -2.0]]),
    covariances=torch.tensor([[[0.04, 0.0], [0.0, 0.01]], [[0.02, 0.01], [0.01, 0.02]]]),
    colours=torch.tensor([[0.7, 0.1, 0.1, 0.05, 0.05], [0.0, 0.0, 0.0, 0.0, 1.0]]),
    existence_logits=torch.tensor([2.0, 0.0]),
    source=torch.tensor([3, 2]),
)


def sent(msg):
    """The message as it arrives, live and in a bag."""
    data = serialize_message(msg)
    package, _, _ = type(msg).__module__.partition(".msg.")
    name = f"{package}/msg/{type(msg).__name__}"
    return deserialize_message(data, type(msg)), default_typestore().deserialize_cdr(data, name)


def test_the_numbers_of_the_colours_are_those_of_the_message():
    assert {name: getattr(Cone, name.upper()) for name in COLOUR_NAMES} == COLOUR_NUMBERS


def test_detections_come_back_live_and_from_a_bag():
    boxes = torch.tensor([[10.0, 20.0, 30.0, 60.0], [100.0, 50.0, 101.0, 53.0]])
    logits = torch.tensor([[1.0, -2.0, 3.0, -40.0], [0.0, 0.5, -0.5, 2.0]])
    msg = detections_to_msg(Detections(boxes, logits), HEADER, 640, 384)
    assert msg.detections[0].score == pytest.approx(1 / (1 + math.exp(-3.0)))
    assert (msg.detections[0].center_u, msg.detections[0].center_v) == (20.0, 40.0)
    for arrived in sent(msg):
        back = detections_from_msg(arrived)
        torch.testing.assert_close(back.boxes_xyxy, boxes)
        torch.testing.assert_close(back.logits, logits, rtol=0, atol=0)


def test_boxes_come_back_bit_for_bit():
    # 0.1 and 1279.9 have no exact sum in float32.
    boxes = torch.tensor([[0.1, 1 / 3, 1279.9, 719.7], [1e-6, 2.7, 3.14159, 300.123]])
    msg = detections_to_msg(Detections(boxes, torch.zeros(2, 4)), HEADER, 1280, 720)
    for arrived in sent(msg):
        assert torch.equal(detections_from_msg(arrived).boxes_xyxy, boxes)


def test_no_detections_come_back_as_none():
    msg = detections_to_msg(Detections(torch.zeros(0, 4), torch.zeros(0, 4)), HEADER, 640, 384)
    for arrived in sent(msg):
        assert detections_from_msg(arrived).boxes_xyxy.shape == (0, 4)


def test_classes_are_taken_by_name_and_other_classes_refused():
    msg = ConeDetectionArray(class_names=["cat", "dog"])
    with pytest.raises(ValueError, match=r"class_names is \['cat', 'dog'\], expected"):
        detections_from_msg(msg)


def test_segmentation_comes_back_to_the_bit():
    angles = (-1.5 + 0.01 * np.arange(301)).astype(np.float32)
    ranges = torch.rand(301) + 1
    ranges[7] = torch.nan
    times = torch.linspace(0, 0.1, 301)
    segmented = SegmentedScan(ranges, torch.from_numpy(angles), torch.randn(301), times=times)
    for arrived in sent(segmentation_to_msg(segmented, HEADER, 0.1, 30.0)):
        back = segmentation_from_msg(arrived)
        torch.testing.assert_close(back.ranges, ranges, rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(back.logits, segmented.logits, rtol=0, atol=0)
        torch.testing.assert_close(back.times, times, rtol=0, atol=0)
        torch.testing.assert_close(back.angles, segmented.angles, rtol=0, atol=1e-6)
    (still, _) = sent(segmentation_to_msg(segmented._replace(times=None), HEADER, 0.1, 30.0))
    assert segmentation_from_msg(still).times is None


def test_a_segmentation_of_unequal_lengths_is_refused():
    msg = ScanSegmentation(angle_increment=0.1, ranges=[1.0, 2.0], logits=[0.5])
    with pytest.raises(ValueError, match="ranges has 2 and logits 1 values"):
        segmentation_from_msg(msg)


def test_cones_hang_from_the_ground_of_a_lidar_that_hangs_upside_down():
    ground = Ground(0.15, -1.0)
    assert markers_to_msg(CONES, HEADER, ground).markers[1].pose.position.z == pytest.approx(
        0.15 - 0.325 / 2
    )
    msg = cones_to_msg(CONES, HEADER, ground, camera_stamp=None, lidar_stamp=HEADER.stamp)
    assert msg.cones[0].position.z == 0.15
    assert points_from_msg(cone_points_to_msg(CONES, HEADER, ground)).points[0, 2] == pytest.approx(
        0.15
    )


@pytest.mark.parametrize(
    ("times", "reason"),
    [([0.0], "times has 1 values, expected 2 or none"), ([0.0, 5.0], "a time is 5 s from 0")],
)
def test_a_segmentation_with_times_that_mean_nothing_is_refused(times, reason):
    msg = ScanSegmentation(angle_increment=0.1, ranges=[1.0, 2.0], logits=[0.5, 1.0], times=times)
    with pytest.raises(ValueError, match=reason):
        segmentation_from_msg(msg)


def test_a_segmentation_of_a_recording_without_times_is_read():
    msg = ScanSegmentation(angle_increment=0.1, ranges=[1.0, 2.0], logits=[0.5, 1.0])
    names = ("angle_min", "angle_increment", "range_max", "ranges", "logits")
    old = SimpleNamespace(**{name: getattr(msg, name) for name in names})
    assert segmentation_from_msg(old).times is None


def test_cones_come_back_with_stamps_and_ground():
    msg = cones_to_msg(CONES, HEADER, GROUND, camera_stamp=None, lidar_stamp=HEADER.stamp)
    assert (msg.camera_used, msg.lidar_used) == (False, True)
    assert msg.camera_stamp == Time()
    assert [c.position.z for c in msg.cones] == [-0.15, -0.15]
    assert [c.colour for c in msg.cones] == [Cone.BLUE, Cone.UNKNOWN]
    for arrived in sent(msg):
        back = cones_from_msg(arrived)
        for name in ("positions", "covariances", "colours", "source"):
            torch.testing.assert_close(getattr(back, name), getattr(CONES, name))
        torch.testing.assert_close(back.existence_logits, CONES.existence_logits, atol=1e-5, rtol=0)


def test_reasons_of_degraded_cones_come_back():
    reason = Reason("camera_lost", "no image: LiDAR alone")
    stamps = {"camera_stamp": None, "lidar_stamp": HEADER.stamp}
    msg = cones_to_msg(CONES, HEADER, GROUND, **stamps, reasons=[reason])
    assert (msg.degraded, msg.reasons) == (
        True,
        ["camera_lost: no image: LiDAR alone"],
    )
    for arrived in sent(msg):
        assert reasons_from_msg(arrived) == (reason,)
    assert not cones_to_msg(CONES, HEADER, GROUND, **stamps).degraded


def test_degraded_cones_without_a_reason_stay_degraded():
    (reason,) = reasons_from_msg(ConeArray(degraded=True))
    assert reason.name == "unspecified"


def test_cones_and_results_of_a_recording_without_reasons_and_alarms_are_read():
    assert reasons_from_msg(SimpleNamespace(cones=[])) == ()
    assert alarms_from_msg(SimpleNamespace(ranges=[])) == ()


def test_alarms_of_the_sensor_nodes_come_back():
    alarm = Reason("image_unlike", "frames are unlike those of the training")
    found = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    for arrived in sent(detections_to_msg(found, HEADER, 640, 360, [alarm])):
        assert alarms_from_msg(arrived) == (alarm,)
    segmented = SegmentedScan(torch.ones(2), torch.tensor([0.0, 0.1]), torch.zeros(2))
    for arrived in sent(segmentation_to_msg(segmented, HEADER, 0.1, 30.0, [alarm])):
        assert alarms_from_msg(arrived) == (alarm,)


def test_cones_without_provenance_say_so_and_come_back_without():
    msg = cones_to_msg(CONES, HEADER, GROUND, camera_stamp=None, lidar_stamp=None)
    assert [cone.id for cone in msg.cones] == [0, 0]
    assert all(math.isnan(cone.lidar_share) for cone in msg.cones)
    for arrived in sent(msg):
        back = cones_from_msg(arrived)
        assert (back.lidar_evidence, back.lidar_share, back.ids) == (None, None, None)


def test_an_empty_array_of_cones_comes_back_empty():
    assert cones_from_msg(ConeArray()).positions.shape == (0, 2)


def test_images_come_back():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    for arrived in sent(image_to_msg(image, HEADER)):
        np.testing.assert_array_equal(image_from_msg(arrived), image)


def test_points_carry_position_and_packed_colour():
    msg = cone_points_to_msg(CONES, HEADER, GROUND)
    torch.testing.assert_close(points_from_msg(msg).points[0], torch.tensor([4.0, 1.0, -0.15]))
    packed = np.frombuffer(msg.data, dtype="<u4")[3::4]
    assert [hex(value) for value in packed] == ["0x1450e6", "0x969696"]  # blue, grey


def test_markers_show_a_body_and_the_ellipse_of_two_sigmas():
    markers = markers_to_msg(CONES, HEADER, GROUND).markers
    assert markers[0].action == markers[0].DELETEALL
    body, ellipse = markers[1], markers[2]
    assert body.pose.position.z == pytest.approx(-0.15 + 0.325 / 2)
    assert (body.color.r, body.color.g, body.color.b) == pytest.approx(
        (20 / 255, 80 / 255, 230 / 255)
    )
    # Standard deviations 0.2 m along x and 0.1 m along y: axes of 4 sigmas.
    assert (ellipse.scale.x, ellipse.scale.y) == pytest.approx((0.8, 0.4))
    assert abs(ellipse.pose.orientation.w) == pytest.approx(1.0) or abs(
        ellipse.pose.orientation.z
    ) == pytest.approx(1.0)
