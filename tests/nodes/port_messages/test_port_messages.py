"""Values of the car's port types to messages and back."""

import numpy as np
import pytest
import torch
from sensor_messages import image_msg, scan_msg
from std_msgs.msg import Header

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.geometry.mounting import Ground
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_data.decode import DecodeError
from conegrad_nodes.port_messages.cones import CONES
from conegrad_nodes.port_messages.detections import DETECTIONS
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.scan import SCAN
from conegrad_nodes.port_messages.segmented_scan import SEGMENTED_SCAN

HEADER = Header(frame_id="lidar")
FOUND = Detections(
    torch.tensor([[10.0, 20.0, 30.0, 60.0]]), torch.tensor([[3.0, -3.0, -3.0, -3.0]])
)


def test_an_image_keeps_its_pixels_and_tells_its_size():
    received = IMAGE.decode(image_msg(size=(6, 4)))
    assert received.details == {"image_size": (6, 4)}
    again = IMAGE.decode(IMAGE.encode(received.value, HEADER, received.details))
    np.testing.assert_array_equal(again.value, received.value)


def test_the_topic_of_an_image_is_that_of_camera_drivers():
    assert IMAGE.topic("image") == "image_raw"
    assert IMAGE.topic("left") == "left/image_raw"


def test_a_scan_keeps_its_readings():
    msg = scan_msg(beams=3, ranges=[1.0, 2.0, 3.0])
    received = SCAN.decode(msg)
    again = SCAN.decode(SCAN.encode(received.value, HEADER, received.details))
    torch.testing.assert_close(again.value.ranges, received.value.ranges, equal_nan=True)
    torch.testing.assert_close(again.value.angles, received.value.angles)
    assert again.details["range_limits"] == pytest.approx(received.details["range_limits"])


def test_detections_keep_boxes_logits_and_image_size():
    msg = DETECTIONS.encode(FOUND, HEADER, {"image_size": (640, 384)})
    received = DETECTIONS.decode(msg)
    torch.testing.assert_close(received.value.boxes_xyxy, FOUND.boxes_xyxy)
    torch.testing.assert_close(received.value.logits, FOUND.logits)
    assert received.details == {"image_size": (640, 384), "alarms": ()}


def test_detections_need_the_size_of_their_image():
    with pytest.raises(ValueError, match=r"have no image_size .*among: range_limits"):
        DETECTIONS.encode(FOUND, HEADER, {"range_limits": (0.1, 30.0)})


def test_detections_that_are_not_finite_are_not_sent():
    broken = FOUND._replace(logits=torch.full((1, 4), torch.nan))
    with pytest.raises(DecodeError, match="a logit is not finite"):
        DETECTIONS.encode(broken, HEADER, {"image_size": (640, 384)})


def test_detections_are_drawn_on_a_copy_of_the_image():
    image = np.zeros((96, 160, 3), dtype=np.uint8)
    drawn = DETECTIONS.draw(image, FOUND)
    assert drawn is not None
    assert drawn.any()
    assert not image.any()
    assert SEGMENTED_SCAN.draw(image, None) is None


def test_a_segmented_scan_keeps_ranges_and_logits():
    ranges, angles = torch.tensor([2.0, torch.nan, 4.0]), torch.tensor([-0.5, 0.0, 0.5])
    segmented = SegmentedScan(ranges, angles, torch.tensor([1.0, -20.0, 2.0]))
    received = SEGMENTED_SCAN.decode(
        SEGMENTED_SCAN.encode(segmented, HEADER, {"range_limits": (0.5, 30.0)})
    )
    torch.testing.assert_close(received.value.ranges, ranges, equal_nan=True)
    torch.testing.assert_close(received.value.logits, segmented.logits)
    assert received.details == {"range_limits": (0.5, 30.0), "alarms": ()}


def test_cones_keep_what_is_known_of_them():
    cones = Cones(
        torch.tensor([[4.0, 1.0]]),
        0.01 * torch.eye(2)[None],
        torch.tensor([[0.6, 0.1, 0.1, 0.1, 0.1]]),
        torch.tensor([1.5]),
        torch.tensor([3]),
        lidar_evidence=torch.tensor([2.25]),
        lidar_share=torch.tensor([0.75]),
        ids=torch.tensor([4_000_000_000]),
    )
    msg = CONES.encode(cones, HEADER, {"ground": Ground(-0.2)})
    assert msg.cones[0].position.z == pytest.approx(-0.2)
    assert not msg.camera_used
    assert msg.cones[0].camera_evidence == -0.75  # the two sum to the log odds of existence
    for found, expected in zip(CONES.decode(msg).value, cones, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_cones_need_the_ground_that_they_stand_on():
    with pytest.raises(ValueError, match=r"have no ground"):
        CONES.encode(None, HEADER, {})
