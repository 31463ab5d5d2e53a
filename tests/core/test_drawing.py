"""Marks over a camera image."""

import numpy as np
import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.drawing import (
    COLOURS_RGB,
    INK,
    draw_colours,
    draw_cones_on_image,
    draw_detections,
    draw_keypoints,
    draw_truth_on_image,
)
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.keypoints.keypoints import Keypoints

# Camera and LiDAR share an origin 1 m above the ground; 90 degrees wide: focal length 320 px.
AXES = torch.tensor([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


CALIBRATION = Calibration(pinhole_camera(640, 480, torch.pi / 2), AXES, 1.0)


def grey():
    return np.full((480, 640, 3), 90, dtype=np.uint8)


def cone(x, y, kind=ConeClass.BLUE, logit=9.0):
    return Cones(
        positions=torch.tensor([[x, y]]),
        covariances=torch.eye(2)[None],
        colours=torch.nn.functional.one_hot(torch.tensor([int(kind)]), 5).float(),
        existence_logits=torch.tensor([logit]),
        source=torch.tensor([3]),
    )


def changed(image):
    rows, columns = np.nonzero((image != grey()).any(-1))
    return (columns.min(), rows.min(), columns.max(), rows.max()) if len(rows) else None


def test_a_cone_is_drawn_where_it_stands():
    left, top, right, bottom = changed(draw_cones_on_image(grey(), cone(4.0, 0.0), CALIBRATION))
    # 4 m ahead: base 0.114 m either side of the centre column; foot 1 m down, tip 0.675 m down.
    assert abs(left - (320 - 320 * 0.114 / 4)) <= 4
    assert abs(right - (320 + 320 * 0.114 / 4)) <= 4
    assert abs(bottom - (240 + 320 * 1.0 / (4 - 0.114))) <= 4
    assert abs(top - (240 + 320 * 0.675 / 4)) <= 4


def test_a_cone_to_the_left_is_drawn_to_the_left():
    left, _, right, _ = changed(draw_cones_on_image(grey(), cone(4.0, 2.0), CALIBRATION))
    assert left < 320 - 160 < right


def test_unlikely_and_unseen_cones_leave_the_image_alone():
    for absent in (cone(4, 0, logit=-1.0), cone(-4, 0), cone(4, 9)):
        assert changed(draw_cones_on_image(grey(), absent, CALIBRATION)) is None


def test_truth_that_the_camera_could_not_see_is_left_out():
    for visible in (True, False):
        truth = TrueCones(
            torch.tensor([[4.0, 0.0]]),
            torch.tensor([0]),
            torch.tensor([visible]),
            torch.tensor([True]),
        )
        drawn = changed(draw_truth_on_image(grey(), truth, CALIBRATION))
        assert (drawn is not None) == visible


def test_boxes_have_the_colour_of_their_class_and_weak_ones_are_left_out():
    detections = Detections(
        torch.tensor([[100.0, 100, 140, 160], [300.0, 100, 340, 160]]),
        torch.tensor([[-5.0, 4, -5, -5], [-5.0, -5, -5, -5]]),
    )
    drawn = draw_detections(grey(), detections)
    assert tuple(drawn[130, 100]) == COLOURS_RGB[ConeClass.YELLOW]
    assert changed(drawn)[2] < 200


def test_a_score_never_covers_another_score():
    alone = torch.tensor([[100.0, 100, 140, 160]])
    beside = torch.tensor([[104.0, 102, 144, 162]])
    logits = torch.tensor([[4.0, -5, -5, -5], [2.0, -5, -5, -5]])
    one = draw_detections(grey(), Detections(alone, logits[:1]))
    two = draw_detections(grey(), Detections(torch.cat([alone, beside]), logits))
    np.testing.assert_array_equal(one[80:98], two[80:98])  # the tag above the better box


def test_no_detections_change_nothing_and_the_input_is_never_drawn_upon():
    image = grey()
    assert changed(draw_detections(image, Detections(torch.zeros(0, 4), torch.zeros(0, 4)))) is None
    draw_cones_on_image(image, cone(4.0, 0.0), CALIBRATION)
    assert changed(image) is None


def test_colours_differ_from_each_other_and_from_the_ink():
    assert len({*COLOURS_RGB.values(), INK}) == len(ConeClass) + 1


def two_boxes():
    """A blue cone of a high score, and one of a low score."""
    boxes = torch.tensor([[100.0, 100, 140, 180], [300.0, 100, 340, 180]])
    return Detections(boxes, torch.tensor([[3.0, -4, -4, -4], [-5.0, -6, -6, -6]]))


def points(deviation):
    """Keypoints of both at one place each."""
    positions = torch.tensor([[[120.0, 140.0]] * 7, [[320.0, 140.0]] * 7])
    return Keypoints(positions, torch.full((2, 7), deviation).log())


def test_a_keypoint_is_a_dot_in_a_ring_of_its_deviation():
    near, wide = (draw_keypoints(grey(), points(d), two_boxes()) for d in (0.1, 12.0))
    left, top, right, bottom = changed(near)
    assert (left + right) / 2 == pytest.approx(120, abs=0.6)  # as project() counts pixels
    assert (top + bottom) / 2 == pytest.approx(140, abs=0.6)
    assert right - left < 8
    left, _, right, _ = changed(wide)
    assert 22 <= right - left <= 30
    assert (wide == COLOURS_RGB[ConeClass.BLUE]).all(-1).any()


def test_keypoints_without_detections_are_all_drawn():
    assert changed(draw_keypoints(grey(), points(2.0)))[2] > 300


def test_keypoints_far_outside_the_image_or_without_a_number_draw_nothing():
    for place in (1e9, torch.nan):
        far = points(2.0)._replace(positions=torch.full((2, 7, 2), place))
        assert changed(draw_keypoints(grey(), far)) is None


def test_the_colour_of_a_classifier_stands_below_its_box():
    colours = ConeColours(torch.tensor([[0.0, 5, 0, 0], [5.0, 0, 0, 0]]))
    drawn = draw_colours(grey(), colours, two_boxes())
    left, top, right, bottom = changed(drawn)
    assert top > 180
    assert (left, right) == (99, 141)
    assert (drawn[top + 1 : bottom, 120] == COLOURS_RGB[ConeClass.YELLOW]).all()
