"""Which cones of a map the sensors could see."""

import math

import torch

from conegrad_core.cones import ConeClass, TrueCones
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import optical_from_body
from conegrad_data.recording.visibility import SensorViews, with_visibility


def cones(*rows, colour=ConeClass.BLUE):
    unseen = torch.zeros(len(rows), dtype=torch.bool)
    classes = torch.full((len(rows),), int(colour), dtype=torch.int64)
    return TrueCones(torch.tensor(rows, dtype=torch.float64), classes, unseen, unseen)


def seen(truth, **changed):
    """Marks of a camera and a LiDAR at the same place, 0.2 m above the ground."""
    views = {
        "ground_z": -0.2, "angle_low": -math.pi / 2, "angle_high": math.pi / 2, "lidar_range": 10.0,
        "camera": pinhole_camera(640, 480, math.pi / 2), "camera_from_lidar": optical_from_body(),
    }  # fmt: skip
    return with_visibility(truth, SensorViews(**{**views, **changed}))


def test_a_cone_behind_another_one_is_hidden_from_camera_and_lidar():
    marks = seen(cones([4.0, 0.0], [4.5, 0.0], [4.5, 1.0]))
    assert marks.visible_camera.tolist() == [True, False, True]
    assert marks.visible_lidar.tolist() == [True, False, True]


def test_a_cone_that_is_covered_in_part_is_seen_by_the_camera():
    # 0.23 m wide cones, 0.15 m apart in the picture: a third of the outline is covered.
    assert seen(cones([4.0, 0.0], [4.5, 0.17])).visible_camera.tolist() == [True, True]


def test_nothing_is_hidden_from_a_camera_that_is_not_there():
    marks = seen(cones([4.0, 0.0], [4.5, 0.0]), camera=None, camera_from_lidar=None)
    assert marks.visible_camera.tolist() == [False, False]
    assert marks.visible_lidar.tolist() == [True, False]


def test_cones_behind_the_camera_hide_nothing():
    assert seen(cones([-4.0, 0.0], [5.0, 0.0])).visible_camera.tolist() == [False, True]
