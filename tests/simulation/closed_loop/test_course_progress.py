"""Laps, distance off the centre line, and leaving the track."""

import math

import numpy as np
import pytest

from conegrad_simulation.closed_loop.course_progress import CourseProgress
from conegrad_simulation.planar import Pose
from conegrad_simulation.track.track import Track

RADIUS, HALF = 20.0, 1.75


def ring():
    """A circle around the origin, driven counter-clockwise from (20, 0)."""
    angle = np.linspace(0.0, 2 * math.pi, 500, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cones = np.vstack([circle[::16] * (RADIUS - HALF), circle[::16] * (RADIUS + HALF)])
    classes = np.repeat([0, 1], len(cones) // 2)
    return Track("ring", cones, classes, RADIUS * circle, is_closed=True)


def straight():
    line = np.stack([np.arange(0.0, 50.0, 0.5), np.zeros(100)], axis=1)
    cones = np.vstack([line[::8] + np.array([0, side]) for side in (HALF, -HALF)])
    return Track("straight", cones, np.repeat([0, 1], len(cones) // 2), line, is_closed=False)


def on_ring(angle, radius=RADIUS):
    return Pose(radius * math.cos(angle), radius * math.sin(angle), angle + math.pi / 2)


def test_two_laps_are_twice_the_length():
    course = CourseProgress(ring())
    course.start(on_ring(0.3))
    for angle in np.arange(0.3, 0.3 + 4 * math.pi, 0.05):
        position = course.update(on_ring(angle))
    position = course.update(on_ring(0.3 + 4 * math.pi))
    assert course.length == pytest.approx(2 * math.pi * RADIUS, rel=1e-3)
    assert position.along == pytest.approx(2 * course.length, abs=0.1)


def test_a_car_that_goes_back_over_the_start_gains_no_lap():
    course = CourseProgress(ring())
    course.start(on_ring(0.1))
    for angle in (0.05, 0.0, -0.05, -0.1):
        position = course.update(on_ring(angle))
    assert position.along == pytest.approx(-0.2 * RADIUS, abs=0.1)


@pytest.mark.parametrize(("radius", "lateral"), [(RADIUS - 0.5, 0.5), (RADIUS + 0.8, -0.8)])
def test_lateral_distance_is_positive_on_the_left(radius, lateral):
    course = CourseProgress(ring())
    course.start(on_ring(0.0))
    position = course.update(on_ring(0.02, radius))
    assert position.lateral == pytest.approx(lateral, abs=0.05)
    assert not position.is_off


def test_beyond_the_cones_the_car_is_off_the_track():
    course = CourseProgress(ring())
    course.start(on_ring(0.0))
    assert not course.update(on_ring(0.01, RADIUS + 1.6)).is_off
    assert course.update(on_ring(0.02, RADIUS + 2.6)).is_off


def test_an_open_track_has_one_length():
    course = CourseProgress(straight())
    course.start(Pose(1.0, 0.0, 0.0))
    for x in np.arange(1.0, 49.0, 0.5):
        position = course.update(Pose(float(x), 0.3, 0.0))
    assert course.length == pytest.approx(49.5, abs=0.5)
    assert position.along == pytest.approx(47.5, abs=0.3)
    assert position.lateral == pytest.approx(0.3)
