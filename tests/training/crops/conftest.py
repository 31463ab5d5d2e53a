"""Patches of painted cones, which no test has to render."""

import numpy as np
import pytest

from conegrad_core.keypoints.cone_model import LEVELS, SIDES
from conegrad_training.crops.cone_patches import ConePatch

COLOURS = ((30, 60, 200), (230, 210, 30), (240, 120, 20), (250, 60, 0))  # by class


def painted_patch(seed: int) -> ConePatch:
    """A triangle of the colour of a class on grey, with its keypoints."""
    rng = np.random.default_rng(seed)
    height = int(rng.integers(20, 40))
    tip = np.array([rng.uniform(45, 55), rng.uniform(25, 32)])
    label = int(rng.integers(4))
    image = rng.integers(90, 110, (100, 100, 3), dtype=np.uint8)
    for row in range(height + 1):
        half, line = 0.35 * row, round(tip[1]) + row
        image[line, round(tip[0] - half) : round(tip[0] + half) + 1] = COLOURS[label]
    below = height * (1 - np.array(LEVELS))
    keypoints = tip + np.stack([-0.35 * below * np.array(SIDES), below], axis=1)
    half = 0.35 * height
    box = [tip[0] - half, tip[1], tip[0] + half, tip[1] + height]
    return ConePatch(
        image,
        np.array(box, dtype=np.float32),
        keypoints.astype(np.float32),
        np.ones(7, dtype=bool),
        label,
        True,
        1.0,
    )


@pytest.fixture
def patches() -> list[ConePatch]:
    """Forty painted cones."""
    return [painted_patch(seed) for seed in range(40)]
