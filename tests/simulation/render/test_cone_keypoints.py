"""Keypoints of rendered cones: their places, and which of them the image shows."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import ConeClass
from conegrad_core.geometry.camera import CameraModel, pinhole_camera, project
from conegrad_core.geometry.transforms import optical_from_body
from conegrad_core.keypoints.cone_model import BOTTOM_RADII, HEIGHTS, TOP_RADII, keypoint_places
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.camera import CameraRenderer
from conegrad_simulation.scene.scene import ObstacleKind, standard_scene
from conegrad_simulation.scene.world import World

MODEL = pinhole_camera(640, 480, 2 * math.atan(320 / 500))
BENT = CameraModel(
    640, 480, MODEL.intrinsics, torch.tensor([-0.12, 0.02, 0.0, 0.0, 0.0]), "plumb_bob"
)
ONE_METRE_UP = Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
CLEAN = World(ego_vehicle="none", noise=0.0, blur=0.0, clutter=0.0, marks=0.0, litter=0.0)
ORIGIN = Pose(0.0, 0.0, 0.0)
PLACES = [[4.0, 0.5], [9.0, -1.5], [6.0, 2.0]]
CLASSES = [ConeClass.BLUE, ConeClass.YELLOW, ConeClass.BIG_ORANGE]


def render(positions, classes, model=MODEL, world=CLEAN, mounting=ONE_METRE_UP, **changes):
    scene = dataclasses.replace(standard_scene(positions, classes), **changes)
    return CameraRenderer(model, mounting).render(scene, ORIGIN, world, 0)


@pytest.mark.parametrize("model", [MODEL, BENT])
def test_keypoints_are_the_projected_cone_model(model):
    rendered = render(PLACES, CLASSES, model)
    rows = rendered.cones.tolist()
    classes = [CLASSES[row] for row in rows]
    sizes = (torch.tensor(values)[classes] for values in (HEIGHTS, BOTTOM_RADII, TOP_RADII))
    places = keypoint_places(torch.tensor(PLACES)[rows], *sizes, torch.zeros(2))
    camera_from_map = optical_from_body()
    camera_from_map[:3, 3] = camera_from_map[:3, :3] @ torch.tensor([0.0, 0.0, -1.0])
    expected, _ = project(places, camera_from_map, model)
    np.testing.assert_allclose(rendered.keypoints.pixels, expected, atol=0.01)
    assert rendered.keypoints.visible.all()


def test_keypoints_are_the_edges_of_the_drawn_cone():
    rendered = render([[2.5, 0.0]], [ConeClass.BLUE])
    red, blue = (rendered.image[..., channel].astype(int) for channel in (0, 2))
    is_blue = blue - red > 40
    for left, right in ((1, 2), (5, 6)):  # the stripe of level 0.4 is white
        u, v = rendered.keypoints.pixels[0, left]
        columns = np.flatnonzero(is_blue[round(float(v))])
        assert columns.min() == pytest.approx(u, abs=1.5)
        assert columns.max() == pytest.approx(rendered.keypoints.pixels[0, right, 0], abs=1.5)
    tip = rendered.keypoints.pixels[0, 0]
    assert tip[1] == pytest.approx(rendered.boxes_xyxy[0, 1], abs=2.5)


def test_keypoints_follow_the_pitch_of_the_car():
    nose_down = dataclasses.replace(CLEAN, vehicle_pitch=0.05)
    level, pitched = (render(PLACES, CLASSES, world=world) for world in (CLEAN, nose_down))
    shift = pitched.keypoints.pixels - level.keypoints.pixels
    boxes = pitched.boxes_xyxy - level.boxes_xyxy
    np.testing.assert_allclose(shift[:, 0, 1], boxes[:, 1], atol=1.0)
    assert (shift[..., 1] < -20).all()


def test_tip_of_a_leaning_cone_moves_with_its_axis():
    lean = 0.3
    upright, leaning = (
        render([[3.0, 0.0]], [ConeClass.BLUE], cone_leans=np.array([[0.0, angle]]))
        for angle in (0.0, lean)
    )
    shift = (leaning.keypoints.pixels - upright.keypoints.pixels)[0]
    # Towards y is left in the image; the height of a small cone is 0.325 m.
    assert shift[0, 0] == pytest.approx(-500 / 3.0 * 0.325 * math.sin(lean), abs=0.5)
    box = leaning.boxes_xyxy[0]
    assert (leaning.keypoints.pixels[0] >= box[:2] - 0.5).all()
    assert (leaning.keypoints.pixels[0] <= box[2:] + 0.5).all()


def test_keypoints_behind_another_cone_are_not_visible():
    # The near big cone hides the right edge of the far one, which stands a little to the left.
    places, classes = [[3.0, 0.0], [4.2, 0.08]], [ConeClass.BIG_ORANGE, ConeClass.BLUE]
    rendered = render(places, classes)
    far = rendered.cones.tolist().index(1)
    visible = rendered.keypoints.visible[far]
    assert visible[[1, 5]].all()  # edges on the left
    assert not visible[[4, 6]].any()  # edges on the right
    assert rendered.keypoints.visible[1 - far].all()


def test_cone_behind_a_bin_shows_no_keypoints():
    rendered = render(
        [[6.0, 0.0]],
        [ConeClass.BLUE],
        obstacles=np.array([[3.0, 0.0, 0.5]]),
        obstacle_heights=np.array([1.2]),
        obstacle_kinds=np.array([ObstacleKind.BIN]),
    )
    assert not rendered.keypoints.visible.any()


def test_keypoints_outside_the_image_are_not_visible():
    # 3 m ahead the left border is 1.92 m to the left: it cuts the cone in two.
    rendered = render([[3.0, 1.92]], [ConeClass.BLUE])
    visible = rendered.keypoints.visible[0]
    assert not visible[1::2].any()  # edges on the left
    assert visible[2::2].all()
