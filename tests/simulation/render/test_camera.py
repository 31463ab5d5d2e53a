"""Rendered images: boxes worked out by hand, occlusion, colours, repeatability."""

import dataclasses
import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Pose
from conegrad_simulation.render.camera import CameraRenderer
from conegrad_simulation.render.view import view_from_pose
from conegrad_simulation.scene.scene import ObstacleKind, standard_scene
from conegrad_simulation.scene.world import World

# 500 px focal length: 640 px wide, half of it seen under atan(320 / 500).
MODEL = pinhole_camera(640, 480, 2 * math.atan(320 / 500))
ONE_METRE_UP = Mounting(0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
CLEAN = World(ego_vehicle="none", noise=0.0, blur=0.0, clutter=0.0, marks=0.0, litter=0.0)
ORIGIN = Pose(0.0, 0.0, 0.0)
BLUE_PLATES = 2  # style of cones


def render(positions, classes, world=CLEAN, pose=ORIGIN, seed=0, **changes):
    scene = dataclasses.replace(standard_scene(positions, classes), **changes)
    return CameraRenderer(MODEL, ONE_METRE_UP).render(scene, pose, world, seed)


def test_map_point_projects_where_it_is_worked_out_by_hand():
    view = view_from_pose(MODEL, ONE_METRE_UP, Pose(2.0, 1.0, math.pi / 2))
    # Facing +y: 10 m ahead, 1 m to the right, on the ground 1 m below.
    pixels, visible = view.project(np.array([[3.0, 11.0, 0.0]]))
    assert visible.all()
    np.testing.assert_allclose(pixels, [[320 + 50, 240 + 50]], atol=1e-3)


def test_box_of_a_cone_ahead_is_its_silhouette():
    box = render([[10.0, 0.0]], [ConeClass.BLUE]).boxes_xyxy[0]
    # The near edge of the base plate, 0.228 m wide, is 10 - 0.114 = 9.886 m away.
    half, foot = 500 * 0.114 / 9.886, 240 + 500 * 1.0 / 9.886
    # The far rim of the top, 0.325 m high with radius 0.12 * 0.228 m, is the highest.
    top = 240 + 500 * 0.675 / (10 + 0.12 * 0.228)
    np.testing.assert_allclose(box, [320 - half, top, 320 + half, foot], atol=0.05)


def test_pixels_of_the_cone_fill_its_box():
    # A maker whose base plates are as blue as the cone, in even light.
    world = dataclasses.replace(CLEAN, cone_style=BLUE_PLATES, cone_wear=0.0, ambient_shade=0.1)
    rendered = render([[6.0, 0.0]], [ConeClass.BLUE], world)
    left, top, right, bottom = rendered.boxes_xyxy[0]
    red, _, blue = (rendered.image[..., channel].astype(int) for channel in range(3))
    # Well below the horizon in row 240 there is nothing else that is blue.
    rows, columns = np.nonzero((blue - red > 60)[280:])
    assert columns.min() == pytest.approx(left, abs=1.5)
    assert columns.max() + 1 == pytest.approx(right, abs=1.5)
    assert rows.min() + 280 == pytest.approx(top, abs=1.5)
    assert rows.max() + 281 == pytest.approx(bottom, abs=1.5)


def test_cone_in_the_open_is_fully_visible():
    assert render([[8.0, 1.0]], [ConeClass.YELLOW]).visibility[0] > 0.97


def test_cone_behind_a_bigger_one_is_less_visible():
    rendered = render([[8.0, 0.0], [7.5, 0.0]], [ConeClass.BLUE, ConeClass.BIG_ORANGE])
    by_cone = dict(zip(rendered.cones.tolist(), rendered.visibility.tolist(), strict=True))
    assert by_cone[1] > 0.97
    assert by_cone[0] < 0.4


def test_cone_behind_a_person_is_hidden_but_keeps_its_box():
    person = {
        "obstacles": np.array([[5.0, 0.0, 0.25]]),
        "obstacle_heights": np.array([1.8]),
        "obstacle_kinds": np.array([int(ObstacleKind.BOX)]),
    }
    rendered = render([[8.0, 0.0]], [ConeClass.BLUE], **person)
    assert rendered.visibility[0] < 0.05
    assert len(rendered.boxes_xyxy) == 1


def test_the_ego_vehicle_hides_cones():
    world = dataclasses.replace(CLEAN, ego_vehicle="cockpit")
    place = [[2.6, 0.0]]
    assert render(place, [ConeClass.BLUE]).visibility[0] > 0.9
    assert render(place, [ConeClass.BLUE], world).visibility[0] < 0.3


def test_cone_cut_by_the_image_border_is_partly_visible_and_its_box_ends_there():
    # At 5 m the border is 3.2 m to the left.
    rendered = render([[5.0, 3.2]], [ConeClass.BLUE])
    assert rendered.boxes_xyxy[0, 0] == 0.0
    assert 0.2 < rendered.visibility[0] < 0.8


def test_cones_behind_the_camera_are_left_out():
    assert len(render([[-5.0, 0.0], [0.0, 8.0]], [0, 1]).cones) == 0


@pytest.mark.parametrize(
    ("colour", "strong", "weak"),
    [(ConeClass.BLUE, 2, 0), (ConeClass.YELLOW, 0, 2), (ConeClass.SMALL_ORANGE, 0, 2)],
)
def test_cone_has_its_colour(colour, strong, weak):
    rendered = render([[4.0, 0.0]], [colour])
    left, _, right, bottom = rendered.boxes_xyxy[0].astype(int)
    foot = rendered.image[bottom - 12 : bottom - 5, (left + right) // 2].mean(axis=0)
    assert foot[strong] > foot[weak] + 60


@pytest.mark.parametrize("turn", [0.3, -0.2])
def test_turning_the_car_left_moves_cones_right(turn):
    straight = render([[10.0, 0.0]], [0]).boxes_xyxy[0, 0]
    turned = render([[10.0, 0.0]], [0], pose=Pose(0.0, 0.0, turn)).boxes_xyxy[0, 0]
    assert (turned - straight) * turn > 0


def test_nose_down_moves_cones_up_in_the_image():
    braking = dataclasses.replace(CLEAN, vehicle_pitch=0.02)
    level, down = (render([[10.0, 0.0]], [0], world).boxes_xyxy[0, 3] for world in (CLEAN, braking))
    # 0.02 rad at 500 px focal length.
    assert level - down == pytest.approx(10.0, abs=0.3)


def test_same_arguments_give_the_same_bytes_and_another_seed_another_noise():
    world = dataclasses.replace(World.preset("dusk_rain"), ego_vehicle="cockpit")
    first, again = (render([[6.0, 1.0]], [1], world, seed=3) for _ in range(2))
    other = render([[6.0, 1.0]], [1], world, seed=4)
    np.testing.assert_array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
    np.testing.assert_array_equal(first.boxes_xyxy, other.boxes_xyxy)


def test_scene_without_cones_renders():
    rendered = render(np.zeros((0, 2)), [])
    assert rendered.image.shape == (480, 640, 3)
    assert rendered.boxes_xyxy.shape == (0, 4)


def test_unknown_world_preset_names_the_known_ones():
    with pytest.raises(ValueError, match=r"world preset is 'mars', expected one of clear"):
        World.preset("mars")


def test_unknown_level_names_the_known_ones():
    with pytest.raises(ValueError, match=r"level is 'easy', expected one of clear, varied, wide"):
        World.sample(np.random.default_rng(0), "easy")


def test_refuses_an_image_with_more_than_250_cones():
    places = [[10.0 + row / 10, column / 5 - 2] for row in range(13) for column in range(20)]
    with pytest.raises(ValueError, match="251 cones in one image, expected at most 250"):
        render(places[:251], [ConeClass.BLUE] * 251)
    assert len(render(places[:250], [ConeClass.BLUE] * 250).cones) == 250
