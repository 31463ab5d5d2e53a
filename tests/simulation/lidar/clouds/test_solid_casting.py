"""Beams of a 3-D LiDAR meet tubes and boxes where geometry says."""

import math

import numpy as np
import pytest

from conegrad_simulation.lidar.clouds.beam_grid import (
    SensorMotion,
    Sweep,
    grid_directions,
    tilt_matrix,
)
from conegrad_simulation.lidar.clouds.solid_casting import cast_solids
from conegrad_simulation.lidar.clouds.solids import SolidRows

DEGREE = math.radians(1)
LEVEL = SensorMotion(0.0, 0.0, 0.0, 1.0, np.eye(3))


def sweep(elevations=(-45.0, 0.0), times=(0.0, 0.0, 0.0)) -> Sweep:
    """Columns at -1, 0 and 1 degree."""
    rings = np.array(elevations) * DEGREE
    columns = np.array([-1.0, 0.0, 1.0]) * DEGREE
    directions = grid_directions(rings, columns)
    return Sweep(rings, -DEGREE, DEGREE, np.array(times, dtype=float), directions)


def cast(rows: SolidRows, beams: Sweep | None = None, motion: SensorMotion = LEVEL):
    return cast_solids(rows.solids(), beams or sweep(), motion, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("start", "axis", "radii", "expected"),
    [
        pytest.param((5, 0, 0), (0, 0, 2), (0.5, 0.5), 4.5, id="post"),
        pytest.param((5, 0, 0), (0, 0, 2), (1.0, 0.0), 4.5, id="cone, at half of its height"),
        pytest.param((5, 0, 0), (0, 0, 0.9), (0.5, 0.5), math.inf, id="post below the beam"),
        pytest.param((5, -1, 1), (0, 2, 0), (0.25, 0.25), 4.75, id="wheel seen from ahead"),
        pytest.param((3, 0, 1), (4, 0, 0), (0.25, 0.25), 3.0, id="end of a nose"),
    ],
)
def test_meets_tubes_with_any_axis(start, axis, radii, expected):
    rows = SolidRows()
    rows.add_tube(start, axis, *radii)
    assert cast(rows).ranges[1, 1] == pytest.approx(expected)


def test_meets_the_top_of_a_box_from_above():
    rows = SolidRows()
    rows.add_box((0.5, 0.0), (0.3, 0.3), 0.2, 0.0, 0.5)
    hits = cast(rows)
    assert hits.ranges[0, 1] == pytest.approx(0.5 * math.sqrt(2))
    assert hits.rows[0, 1] == 0
    assert math.isinf(hits.ranges[1, 1])


def test_a_tilted_lidar_meets_what_lies_below_its_horizon():
    rows = SolidRows()
    rows.add_box((5.0, 0.0), (0.01, 1.0), 0.0, 0.0, 0.6)
    down = LEVEL._replace(tilt=tilt_matrix(0.0, 0.1))
    assert math.isinf(cast(rows).ranges[1, 1])
    assert cast(rows, motion=down).ranges[1, 1] == pytest.approx(4.99 / math.cos(0.1))


def test_each_column_is_cast_from_its_own_place():
    rows = SolidRows()
    rows.add_box((10.0, 0.0), (0.01, 5.0), 0.0, 0.0, 3.0)
    moving = LEVEL._replace(velocity=(20.0, 0.0))
    hits = cast(rows, sweep(times=(0.1, 0.05, 0.0)), moving)
    np.testing.assert_allclose(
        hits.ranges[1], np.array([7.99, 8.99, 9.99]) / np.cos(DEGREE * np.array([1, 0, 1]))
    )


def test_the_nearest_of_two_solids_is_kept_and_thin_air_lets_beams_pass():
    rows = SolidRows()
    rows.add_tube((4, 0, 0), (0, 0, 2), 0.5, solidity=0.0)
    rows.add_tube((8, 0, 0), (0, 0, 2), 0.5, cone=7)
    rows.add_box((6, 0), (0.5, 0.5), 0.0, 0.0, 2.0)
    hits = cast(rows)
    assert hits.rows[1, 1] == 2
    assert hits.ranges[1, 1] == pytest.approx(5.5)
