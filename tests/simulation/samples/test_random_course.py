"""Random courses of training frames."""

import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.samples.random_course import REACH, random_course

HALF_VIEW = math.radians(40)


def course(seed, level="varied", spacing=1.0):
    return random_course(np.random.default_rng(seed), HALF_VIEW, spacing, level)


@pytest.mark.parametrize("seed", range(30))
def test_cones_are_within_reach_with_one_class_each(seed):
    positions, classes, pose = course(seed)
    assert positions.shape == (len(classes), 2)
    distances = np.hypot(*(positions - [pose.x, pose.y]).T)
    assert (distances < REACH + 1).all()
    assert set(classes.tolist()) <= {int(c) for c in ConeClass if c != ConeClass.UNKNOWN}


def test_a_course_is_a_function_of_its_seed():
    for first, again in zip(course(3), course(3), strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("seed", range(10))
def test_on_a_clear_course_blue_is_left_of_the_lane_and_yellow_right(seed):
    positions, classes, pose = course(seed, "clear")
    offset = positions - [pose.x, pose.y]
    ahead = math.cos(pose.yaw) * offset[:, 0] + math.sin(pose.yaw) * offset[:, 1]
    left = math.cos(pose.yaw) * offset[:, 1] - math.sin(pose.yaw) * offset[:, 0]
    beside = np.abs(ahead) < 2.5  # so near that the lane does not bend away
    near = beside & (np.abs(left) < 3.5)
    assert (left[near & (classes == ConeClass.BLUE)] > 0).all()
    assert (left[near & (classes == ConeClass.YELLOW)] < 0).all()


def test_other_levels_also_scatter_cones_and_mix_their_sides():
    mixed = 0
    for seed in range(40):
        positions, classes, pose = course(seed, "wide")
        offset = positions - [pose.x, pose.y]
        left = math.cos(pose.yaw) * offset[:, 1] - math.sin(pose.yaw) * offset[:, 0]
        near = np.hypot(*offset.T) < 6
        mixed += bool((left[near & (classes == ConeClass.BLUE)] < 0).any())
    assert mixed > 4


def test_scattered_cones_never_overlap():
    for seed in range(40):
        positions, _, _ = course(seed, "wide")
        gaps = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        gaps[np.diag_indices(len(gaps))] = np.inf
        assert gaps.min(initial=np.inf) > 0.2


def test_a_smaller_spacing_brings_cones_closer():
    far = [np.hypot(*(p - [q.x, q.y]).T).mean() for p, _, q in (course(s) for s in range(8))]
    near = [
        np.hypot(*(p - [q.x, q.y]).T).mean()
        for p, _, q in (course(s, spacing=0.3) for s in range(8))
    ]
    assert np.nanmean(near) < np.nanmean(far)


def test_hard_courses_have_big_orange_cones_side_by_side():
    nearest = []
    for seed in range(30):
        positions, classes, _ = course(seed, "hard")
        big = positions[classes == ConeClass.BIG_ORANGE]
        gaps = np.linalg.norm(big[:, None] - big[None], axis=2)
        nearest += gaps[np.triu_indices(len(big), 1)].tolist()
        others = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        assert others[np.triu_indices(len(positions), 1)].min(initial=9.0) >= 0.2
    assert np.mean(np.array(nearest) < 0.8) > 0.02
    assert min(nearest) < 0.5
