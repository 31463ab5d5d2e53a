import numpy as np
import pytest
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.odometry import Pose2
from conegrad_evaluation.coverage.conditions import (
    cone_conditions,
    light_of,
    motion_conditions,
)


def test_a_cone_behind_a_nearer_one_is_overlapped():
    positions = torch.tensor([[4.0, 0.0], [8.0, 0.1], [8.0, 1.0]])
    seen = torch.ones(3, dtype=torch.bool)
    found = cone_conditions(TrueCones(positions, torch.tensor([0, 1, 4]), seen, seen))
    assert found["occlusion"].tolist() == [0, 1, 0]
    assert found["range"].tolist() == [0, 1, 1]
    assert found["colour"].tolist() == [0, 1, -1]  # unknown


@pytest.mark.parametrize(
    ("level", "light"), [(20, "dark"), (80, "dim"), (128, "day"), (200, "glare")]
)
def test_light_follows_the_luminance(level, light):
    assert light_of(np.full((16, 16, 3), level, dtype=np.uint8)) == light


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(Pose2(2.0, 0.0, 0.0), ("fast", "straight"), id="10 m/s ahead"),
        pytest.param(Pose2(1.2, 0.0, 0.06), ("medium", "left"), id="6 m/s, 20 m radius"),
        pytest.param(Pose2(1.2, 0.0, -0.06), ("medium", "right"), id="to the right"),
        pytest.param(Pose2(0.6, 0.0, 0.12), ("slow", "hairpin"), id="3 m/s, 5 m radius"),
        pytest.param(Pose2(0.01, 0.0, 0.0), ("standing", None), id="no way, no curvature"),
    ],
)
def test_speed_and_track_follow_the_odometry(after, expected):
    found = motion_conditions(Pose2(0.0, 0.0, 0.0), after)
    assert (found["speed"], found.get("track")) == expected
