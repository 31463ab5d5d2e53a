"""Identities of cones over frames."""

import math

import numpy as np
import pytest

from conegrad_core.cone_tracks import LAST_ID, ConeTracks, TrackConfig
from conegrad_core.geometry.odometry import Pose2

HERE = Pose2(0.0, 0.0, 0.0)


@pytest.fixture
def tracks():
    return ConeTracks()


def add(tracks, places, time, pose=HERE, std=0.1):
    positions = np.array(places, dtype=float).reshape(-1, 2)
    covariances = np.tile(std**2 * np.eye(2), (len(positions), 1, 1))
    return tracks.add(positions, covariances, pose, time).tolist()


def test_a_cone_keeps_its_id_while_the_car_drives_and_turns(tracks):
    assert add(tracks, [(5, 0), (7, 3)], 0.0) == [1, 2]
    # Two metres on and turned left by 90 degrees: 3 m ahead is 3 m to the right.
    there = Pose2(2.0, 0.0, math.pi / 2)
    assert add(tracks, [(3, -5), (0, -3), (4, 4)], 0.5, there) == [2, 1, 3]


def test_a_short_miss_keeps_the_id_and_a_long_one_ends_it(tracks):
    for time in (0.0, 0.1):
        assert add(tracks, [(5, 0)], time) == [1]
    for time in (0.2, 1.0, 1.9):
        assert add(tracks, [], time) == []
    assert add(tracks, [(5, 0)], 2.0) == [1]
    assert add(tracks, [(5, 0)], 4.1) == [2]


def test_a_single_detection_is_given_up_early(tracks):
    add(tracks, [(5, 0)], 0.0)
    add(tracks, [], 0.4)
    assert add(tracks, [(5, 0)], 0.5) == [2]


def test_neighbours_are_assigned_together(tracks):
    add(tracks, [(0.0, 0), (1.0, 0)], 0.0, std=0.5)
    # The nearest track of both is that at 1 m; taken first it would leave none to the other.
    assert add(tracks, [(0.6, 0), (1.1, 0)], 0.1, std=0.5) == [1, 2]


@pytest.mark.parametrize(("std", "expected"), [(0.05, 2), (0.3, 1)])
def test_the_covariances_say_which_cones_can_be_one(tracks, std, expected):
    # Both have a variance of std^2 + 0.05^2: 0.6 m are 6 and 1.4 deviations of the difference.
    add(tracks, [(5, 0)], 0.0, std=std)
    assert add(tracks, [(5.6, 0)], 0.01, std=std) == [expected]


def test_an_earlier_time_begins_a_new_run_with_new_ids(tracks):
    assert add(tracks, [(5, 0)], 9.0) == [1]
    assert add(tracks, [(5, 0)], 1.0) == [2]


def test_ids_begin_anew_after_the_last_one_of_a_message(tracks):
    tracks._next = LAST_ID
    assert add(tracks, [(5, 0), (8, 0)], 0.0) == [LAST_ID, 1]
    assert add(tracks, [(12, 0)], 0.1) == [2]


def test_what_is_given_is_not_changed():
    tracks = ConeTracks(TrackConfig())
    positions, covariances = np.array([[5.0, 0.0]]), 0.01 * np.eye(2)[None]
    for step in range(3):
        tracks.add(positions, covariances, Pose2(0.1 * step, 0.0, 0.2), 0.1 * step)
    assert positions.tolist() == [[5.0, 0.0]]
    assert covariances.tolist() == [[[0.01, 0.0], [0.0, 0.01]]]
