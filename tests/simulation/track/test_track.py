"""Tracks keep to the dimensions of the rules."""

import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.track.curve import closed_curvature, resample
from conegrad_simulation.track.track_events import acceleration, skidpad
from conegrad_simulation.track.track_random import random_track

SEEDS = range(6)


def distances_to_line(points, line):
    return np.linalg.norm(points[:, None] - line[None], axis=2).min(axis=1)


def gaps_along(track, is_left):
    """Distances between neighbours of one side, in driving order, around the closed track."""
    nearest = np.linalg.norm(track.positions[:, None] - track.centre_line, axis=2).argmin(axis=1)
    tangent = np.roll(track.centre_line, -1, axis=0) - track.centre_line
    offset = track.positions - track.centre_line[nearest]
    cross = tangent[nearest, 0] * offset[:, 1] - tangent[nearest, 1] * offset[:, 0]
    side = np.flatnonzero((cross > 0) == is_left)
    ordered = track.positions[side[np.argsort(nearest[side])]]
    return np.linalg.norm(np.roll(ordered, -1, axis=0) - ordered, axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_lane_of_a_random_track_is_three_to_five_metres_wide(seed):
    track = random_track(seed)
    half = distances_to_line(track.positions, track.centre_line)
    # Cones stand up to a decimetre off their line.
    assert half.min() > 1.5 - 0.15
    assert half.max() < 2.5 + 0.1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_left", [True, False])
def test_neighbouring_cones_of_a_side_are_at_most_five_metres_apart(seed, is_left):
    assert gaps_along(random_track(seed), is_left).max() <= 5.0


@pytest.mark.parametrize("seed", SEEDS)
def test_corners_of_a_random_track_can_be_driven(seed):
    curvature = closed_curvature(random_track(seed).centre_line)
    smooth = np.convolve(np.tile(curvature, 2), np.full(8, 1 / 8), "same")
    assert 1 / np.abs(smooth).max() > 4.5


@pytest.mark.parametrize("seed", SEEDS)
def test_blue_stands_left_and_yellow_right_of_the_way(seed):
    track = random_track(seed)
    line = track.centre_line
    tangent = np.roll(line, -1, axis=0) - line
    nearest = np.linalg.norm(track.positions[:, None] - line, axis=2).argmin(axis=1)
    offset = track.positions - line[nearest]
    cross = tangent[nearest, 0] * offset[:, 1] - tangent[nearest, 1] * offset[:, 0]
    assert (cross[track.classes == ConeClass.BLUE] > 0).all()
    assert (cross[track.classes == ConeClass.YELLOW] < 0).all()


def test_start_line_has_two_big_cones_on_each_side_ahead_of_the_start():
    track = random_track(3)
    big = track.positions[track.classes == ConeClass.BIG_ORANGE]
    assert len(big) == 4
    pose = track.start_pose()
    ahead = (big - [pose.x, pose.y]) @ [math.cos(pose.yaw), math.sin(pose.yaw)]
    assert ahead.min() > 2.0
    assert ahead.max() < 6.0


def test_seed_makes_the_same_track_again_and_another_one_does_not():
    first, again, other = random_track(5), random_track(5), random_track(6)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.array_equal(first.centre_line[:50], other.centre_line[:50])


def test_acceleration_is_seventy_five_metres_between_its_lines():
    track = acceleration()
    big = track.positions[track.classes == ConeClass.BIG_ORANGE]
    np.testing.assert_allclose(np.unique(big[:, 0]), [0.0, 1.3, 75.0, 76.3])
    np.testing.assert_allclose(np.unique(np.abs(big[:, 1])), [1.75])
    assert (track.positions[track.classes == ConeClass.BLUE][:, 1] == 1.75).all()
    assert (track.positions[track.classes == ConeClass.SMALL_ORANGE][:, 0] > 75.0).all()


def test_skidpad_has_the_circles_of_the_rules():
    track = skidpad()
    yellow = track.positions[track.classes == ConeClass.YELLOW]
    to_right = np.linalg.norm(yellow - [0.0, -9.125], axis=1)
    assert (np.abs(to_right - 7.625) < 1e-9).sum() == 16
    to_left = np.linalg.norm(yellow - [0.0, 9.125], axis=1)
    assert (np.abs(to_left - 10.625) < 1e-9).sum() == 13


def test_skidpad_turns_right_first():
    line = skidpad().centre_line
    assert line[line[:, 0] > 5.0][0, 1] < -1.0


def test_scaling_moves_cones_and_line_together():
    track = random_track(1)
    small = track.scaled(0.4)
    np.testing.assert_allclose(small.positions, 0.4 * track.positions)
    np.testing.assert_allclose(small.centre_line, 0.4 * track.centre_line)


def test_resampling_a_square_keeps_its_corners_and_does_not_repeat_the_first():
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    points = resample(square, 1.0, is_closed=True)
    expected = [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [0, 2], [0, 1]]
    np.testing.assert_allclose(points, expected, atol=1e-12)
