"""Where the keypoints of a cone are in space."""

import pytest
import torch

from conegrad_core.keypoints.cone_model import (
    BOTTOM_RADII,
    HEIGHTS,
    LEVELS,
    MIRRORED,
    NAMES,
    SIDES,
    TOP_RADII,
    keypoint_places,
)


def places(positions: list[list[float]], eye: list[float]) -> torch.Tensor:
    count = len(positions)
    return keypoint_places(
        torch.tensor(positions, dtype=torch.float64),
        torch.full((count,), HEIGHTS[0]),
        torch.full((count,), BOTTOM_RADII[0]),
        torch.full((count,), TOP_RADII[0]),
        torch.tensor(eye, dtype=torch.float64),
    )


def test_the_edges_lie_beside_the_axis_as_the_camera_sees_it():
    found = places([[5.0, 0.0]], [0.0, 0.0])[0]
    by_name = dict(zip(NAMES, found.tolist(), strict=True))
    assert by_name["tip"] == pytest.approx([5.0, 0.0, HEIGHTS[0]])
    for level in ("upper", "middle", "foot"):
        left, right = by_name[f"{level}_left"], by_name[f"{level}_right"]
        assert left[0] == right[0] == 5.0
        assert left[1] == -right[1] > 0  # y points left
        assert left[2] == right[2]
    assert by_name["foot_left"][1] > by_name["upper_left"][1]


def test_turning_camera_and_cone_turns_the_keypoints():
    straight = places([[4.0, 0.0]], [0.0, 0.0])[0]
    turned = places([[1.0, 6.0]], [1.0, 2.0])[0]
    expected = torch.stack([1.0 - straight[:, 1], 2.0 + straight[:, 0], straight[:, 2]], dim=-1)
    torch.testing.assert_close(turned, expected)


def test_a_mirrored_image_exchanges_left_and_right():
    assert [NAMES[i].replace("left", "right") for i in range(7)] == [
        NAMES[MIRRORED[i]].replace("left", "right") for i in range(7)
    ]
    assert all(SIDES[MIRRORED[i]] == -SIDES[i] for i in range(7))
    assert all(LEVELS[MIRRORED[i]] == LEVELS[i] for i in range(7))


def test_places_are_differentiable_in_every_argument():
    values = [
        torch.tensor([[5.0, 1.0], [3.0, -2.0]]),
        torch.tensor([0.325, 0.5]),
        torch.tensor([0.09, 0.11]),
        torch.tensor([0.03, 0.03]),
        torch.tensor([0.5, 0.1]),
    ]
    values = [value.double().requires_grad_() for value in values]
    assert torch.autograd.gradcheck(keypoint_places, values)
