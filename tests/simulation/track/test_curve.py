"""Planar curves, with values worked out by hand."""

import math

import numpy as np
import pytest

from conegrad_simulation.track.curve import (
    arc_lengths,
    closed,
    closed_curvature,
    left_normals,
    resample,
)

CORNER = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])


def circle(radius, count=400, direction=1):
    angle = direction * np.linspace(0, 2 * math.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_arc_lengths_add_up_the_steps():
    assert arc_lengths(CORNER).tolist() == [0.0, 3.0, 7.0]


def test_an_open_line_is_resampled_from_its_first_to_its_last_point():
    points = resample(CORNER, 0.5, is_closed=False)
    assert len(points) == 15
    np.testing.assert_allclose(points[[0, 6, -1]], CORNER, atol=1e-12)


def test_a_step_longer_than_the_line_still_gives_a_line():
    assert len(resample(CORNER, 100.0, is_closed=False)) == 3


def test_a_closed_line_ends_on_its_first_point():
    np.testing.assert_array_equal(closed(CORNER)[-1], CORNER[0])
    assert len(closed(CORNER)) == 4


@pytest.mark.parametrize("direction", [1, -1])
def test_curvature_of_a_circle_is_positive_to_the_left(direction):
    curvature = closed_curvature(circle(8.0, direction=direction))
    np.testing.assert_allclose(curvature, direction / 8.0, rtol=1e-3)


@pytest.mark.parametrize("is_closed", [True, False])
def test_normals_of_a_left_turn_point_to_its_centre(is_closed):
    points = circle(5.0)
    normals = left_normals(points, is_closed=is_closed)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    np.testing.assert_allclose(normals[1:-1], -points[1:-1] / 5.0, atol=1e-3)
