"""How exact labels are, by the returns of the clouds."""

import numpy as np
import pytest

from conegrad_data.importing.label_error import (
    FRONT,
    LABEL_ERROR,
    RAYLEIGH_MEDIAN,
    LabelledCloud,
    measured_label_error,
)

CONES = np.array([[x, y] for x in (4.0, 8.0, 12.0, 16.0) for y in (-6.0, -3.0, 0.0, 3.0, 6.0)])


def cloud():
    """Ground 1 m below, and three returns on the front of each cone."""
    angles = np.linspace(0, 6, 20)
    parts = []
    for x, y in CONES:
        ground = np.stack([x + np.cos(angles), y + np.sin(angles), np.full(20, -1.0)], axis=1)
        front = np.array([x, y]) * (1 - FRONT / np.hypot(x, y))
        parts += [ground, [[*front, height] for height in (-0.9, -0.8, -0.75)]]
    return np.vstack(parts)


def test_labels_beside_their_returns_give_their_deviation():
    moved = CONES + np.array([0.0, 0.1])
    deviation = measured_label_error([LabelledCloud(moved, cloud())])
    assert deviation == pytest.approx(0.1 / RAYLEIGH_MEDIAN, abs=0.005)


def test_too_few_labels_take_what_is_published_and_say_so(caplog):
    assert measured_label_error([LabelledCloud(CONES[:3], cloud())]) == LABEL_ERROR
    assert "3 labels have returns, expected 20" in caplog.text
