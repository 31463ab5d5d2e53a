"""Names and poses of cones in the message of Gazebo's pose publisher."""

import math
from types import SimpleNamespace

import pytest
import torch

from conegrad_data.decode import DecodeError
from conegrad_simulation.gazebo.cone_places import cone_name
from conegrad_simulation.gazebo.moved_cones import moved_cones_from_msg


def message(*names, x=1.0, quaternion=(0.0, 0.0, 0.0, 1.0)):
    q = dict(zip("xyzw", quaternion, strict=True))
    transform = SimpleNamespace(
        translation=SimpleNamespace(x=x, y=2.0, z=0.0), rotation=SimpleNamespace(**q)
    )
    return SimpleNamespace(
        transforms=[SimpleNamespace(child_frame_id=name, transform=transform) for name in names]
    )


@pytest.mark.parametrize("scope", ["", "track/", "conegrad::track::"])
def test_a_cone_is_found_by_the_name_it_was_given(scope):
    (cone,) = moved_cones_from_msg(message(scope + cone_name(12)))
    assert (cone.row, cone.position) == (12, (1.0, 2.0))
    torch.testing.assert_close(cone.rotation, torch.eye(3, dtype=torch.float64))


def test_the_axis_of_a_fallen_cone_lies_level():
    half = math.sqrt(0.5)  # a quarter turn about x: the axis goes from z to -y
    (cone,) = moved_cones_from_msg(message("cone_0000", quaternion=(half, 0.0, 0.0, half)))
    axis = torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(cone.rotation[:, 2], axis)


def test_links_and_other_models_are_skipped():
    names = ("car", "track/cone_0001/cone", "traffic_cone_7x", "bigcone_0001")
    assert list(moved_cones_from_msg(message(*names))) == []


def test_a_pose_that_is_not_finite_is_refused_by_name():
    with pytest.raises(DecodeError, match="cone_0003 is at"):
        list(moved_cones_from_msg(message("cone_0003", x=math.nan)))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"x": 1e39}, r"x of cone_0003 is 1e\+39"),
        ({"quaternion": (0.0, 0.0, 0.0, 1e200)}, r"rotation of cone_0003 is \(0, 0, 0, 1e\+200\)"),
    ],
)
def test_impossible_poses_are_refused(odd, reason):
    with pytest.raises(DecodeError, match=reason):
        moved_cones_from_msg(message("cone_0003", **odd))


def test_a_row_outside_the_scene_is_refused():
    with pytest.raises(DecodeError, match="content cannot be used"):
        moved_cones_from_msg(message("cone_" + 5000 * "9"))
