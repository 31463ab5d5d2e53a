"""Touched cones: the outline of the car against the feet of the cones."""

import math

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.closed_loop.contacts import clearances
from conegrad_simulation.planar import Pose
from conegrad_simulation.scene.scene import standard_scene

CHASSIS = load_vehicle("formula_student").chassis
# From 0.4 m behind to 1.55 m ahead of the rear axle; wheels reach 1.2 / 2 + 0.18 / 2 = 0.69 m out.
FRONT, REAR, SIDE = 1.55, -0.4, 0.69
RADIUS = 0.114  # [m] of the foot of a small cone
AT_ORIGIN = Pose(0.0, 0.0, 0.0)


def clearance(x, y, pose=AT_ORIGIN):
    scene = standard_scene(np.array([[x, y]]), np.array([0]))
    return float(clearances(scene, pose, CHASSIS)[0])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        pytest.param(FRONT + RADIUS + 0.5, 0.0, 0.5, id="ahead of the nose"),
        pytest.param(REAR - RADIUS - 0.2, 0.3, 0.2, id="behind the tail"),
        pytest.param(0.0, SIDE + RADIUS + 0.3, 0.3, id="beside a wheel"),
        pytest.param(FRONT + 0.3, -SIDE - 0.4, 0.5 - RADIUS, id="off a corner"),
        pytest.param(0.5, 0.2, 0.2 - SIDE - RADIUS, id="under the car"),
    ],
)
def test_distance_to_a_cone(x, y, expected):
    assert clearance(x, y) == pytest.approx(expected, abs=1e-3)


def test_the_car_turns_with_its_heading():
    # Heading up the map, the nose is at y = 1.55 m.
    turned = Pose(0.0, 0.0, math.pi / 2)
    assert clearance(0.0, FRONT + RADIUS + 0.1, turned) == pytest.approx(0.1, abs=1e-3)


def test_only_cones_that_the_car_touches_have_no_clearance():
    places = np.array([[5.0, 0.0], [1.6, 0.0], [0.0, 0.75], [0.0, 0.85]])
    scene = standard_scene(places, np.zeros(4, dtype=np.int64))
    assert np.flatnonzero(clearances(scene, AT_ORIGIN, CHASSIS) <= 0).tolist() == [1, 2]


def test_a_big_cone_is_touched_from_farther_away():
    scene = standard_scene(np.array([[0.0, 0.82], [0.5, 0.82]]), np.array([0, 3]))
    assert np.flatnonzero(clearances(scene, AT_ORIGIN, CHASSIS) <= 0).tolist() == [1]
