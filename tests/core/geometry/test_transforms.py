"""Rigid transforms: known values, round trips, gradients."""

import math

import pytest
import torch

from conegrad_core.geometry.transforms import (
    matrix_from_translation_quaternion,
    mounting_matrix,
    optical_from_body,
    pose_matrix,
    quaternion_from_rotation,
    rigid_inverse,
    rotation_from_quaternion,
    transform_points,
    translation_quaternion_from_matrix,
)

EXACT = {"dtype": torch.float64}


def test_a_pose_moves_a_point_of_the_child_into_the_parent():
    point = torch.tensor([[1.0, 0.0, 0.5]], **EXACT)
    moved = transform_points(pose_matrix(*torch.tensor([2.0, 3.0, math.pi / 2], **EXACT)), point)
    torch.testing.assert_close(moved, torch.tensor([[2.0, 4.0, 0.5]], **EXACT))


def test_a_pose_of_plain_numbers_is_a_single_matrix():
    assert pose_matrix(1.0, 2.0, 0.0).tolist() == [
        [1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 0], [0, 0, 0, 1],
    ]  # fmt: skip


def test_positive_pitch_looks_down_and_positive_yaw_to_the_left():
    ahead = torch.tensor([[1.0, 0, 0]], **EXACT)
    nothing = torch.zeros(3, **EXACT)
    down = transform_points(mounting_matrix(nothing, 0.0, math.pi / 2, 0.0), ahead)
    left = transform_points(mounting_matrix(nothing, 0.0, 0.0, math.pi / 2), ahead)
    torch.testing.assert_close(down, torch.tensor([[0.0, 0, -1]], **EXACT))
    torch.testing.assert_close(left, torch.tensor([[0.0, 1, 0]], **EXACT))


def test_optical_axes_are_right_down_forward():
    body = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    optical = transform_points(optical_from_body(), body)
    assert optical.tolist() == [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]


def test_the_inverse_undoes_a_transform():
    transform = mounting_matrix(torch.tensor([1.0, -2, 3], **EXACT), 0.3, -0.4, 2.5)
    torch.testing.assert_close(rigid_inverse(transform) @ transform, torch.eye(4, **EXACT))


@pytest.mark.parametrize(
    "quaternion",
    [
        pytest.param([0, 0, 0, 1], id="identity"),
        pytest.param([1, 0, 0, 0], id="half a turn about x"),
        pytest.param([0, 1, 0, 0], id="half a turn about y"),
        pytest.param([0, 0, 1, 0], id="half a turn about z"),
        pytest.param([0.5, -0.5, 0.5, 0.5], id="permutation of axes"),
    ],
)
def test_quaternions_survive_the_round_trip(quaternion):
    quaternion = torch.tensor(quaternion, **EXACT)
    back = quaternion_from_rotation(rotation_from_quaternion(quaternion))
    torch.testing.assert_close(back, quaternion)


def test_a_quarter_turn_about_z_is_known():
    quaternion = torch.tensor([0, 0, math.sqrt(0.5), math.sqrt(0.5)], **EXACT)
    expected = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], **EXACT)
    torch.testing.assert_close(rotation_from_quaternion(quaternion), expected)


def test_messages_give_back_their_translation_and_quaternion():
    translation = torch.tensor([0.1, 0.2, 0.3], **EXACT)
    quaternion = torch.nn.functional.normalize(torch.tensor([0.1, -0.2, 0.3, 0.9], **EXACT), dim=0)
    matrix = matrix_from_translation_quaternion(translation, 7 * quaternion)
    back = translation_quaternion_from_matrix(matrix)
    torch.testing.assert_close(back, (translation, quaternion))


def test_passes_gradients():
    values = torch.tensor([0.3, -0.2, 0.7, 0.1, 0.5, -0.4, 0.8], **EXACT, requires_grad=True)

    def all_of_it(v):
        first = matrix_from_translation_quaternion(v[:3], v[3:])
        second = rigid_inverse(pose_matrix(v[0], v[1], v[2])) @ mounting_matrix(v[:3], *v[3:6])
        return first @ second, quaternion_from_rotation((first @ second)[:3, :3])

    assert torch.autograd.gradcheck(all_of_it, (values,))


def test_refuses_a_quaternion_without_length():
    with pytest.raises(ValueError, match=r"quaternion is .* expected a length above 0"):
        rotation_from_quaternion(torch.zeros(4))


def test_refuses_points_of_the_wrong_width():
    with pytest.raises(ValueError, match=r"points has shape \(7, 2\)"):
        transform_points(torch.eye(4), torch.zeros(7, 2))
