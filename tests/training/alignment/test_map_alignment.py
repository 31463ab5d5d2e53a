import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_data.errors import AlignmentError
from conegrad_simulation.track.track_events import acceleration
from conegrad_simulation.track.track_random import random_track
from conegrad_training.alignment.map_alignment import (
    ConeMap,
    SeenCones,
    align_map,
    moved,
)


def surveyed(seed: int = 3) -> ConeMap:
    track = random_track(seed)
    return ConeMap(track.positions, track.classes)


def driven(
    seed: int, pose: np.ndarray, *, share: float = 1.0, noise: float = 0.05, wrong: int = 0
) -> SeenCones:
    """What a car sees that drives along a share of a track whose origin has ``pose`` in odom.

    Args:
        seed: of the track.
        pose: ``odom_from_map``.
        share: of the centre line.
        noise: of positions, std [m].
        wrong: cones that are not there.
    """
    rng = np.random.default_rng(seed)
    track = random_track(seed)
    line = track.centre_line[: int(share * len(track.centre_line))]
    near = np.linalg.norm(track.positions[:, None] - line[None], axis=-1).min(axis=1) < 5.0
    positions = moved(track.positions[near], pose) + rng.normal(0, noise, (near.sum(), 2))
    path = moved(line, pose)
    yaws = np.arctan2(*np.gradient(path, axis=0).T[::-1])
    clutter = path[rng.integers(0, len(path), wrong)] + rng.uniform(-6, 6, (wrong, 2))
    classes = np.concatenate([track.classes[near], rng.integers(0, 2, wrong)])
    return SeenCones(
        np.concatenate([positions, clutter]), classes, np.column_stack([path, yaws])[::8]
    )


def error(found: np.ndarray, expected: np.ndarray, points: np.ndarray) -> float:
    """Largest distance between both places of the map's cones [m]."""
    return float(np.linalg.norm(moved(points, found) - moved(points, expected), axis=1).max())


def test_a_quarter_turn_moves_ahead_to_the_left():
    np.testing.assert_allclose(
        moved(np.array([[2.0, 1.0]]), np.array([10, 20, math.pi / 2])), [[9, 22]]
    )


@pytest.mark.parametrize(
    "pose",
    [
        pytest.param([0.0, 0.0, 0.0], id="already there"),
        pytest.param([31.0, -12.0, 1.0], id="a turn and a shift"),
        pytest.param([-5.0, 80.0, -3.0], id="nearly upside down"),
    ],
)
def test_finds_a_known_transform_without_a_guess(pose: list[float]):
    expected = np.array(pose)
    fit = align_map(surveyed(), driven(3, expected, noise=0.0))
    assert error(fit.odom_from_map, expected, surveyed().positions) < 1e-3
    assert fit.inliers == 1.0
    assert fit.residual < 1e-3


def test_noise_and_cones_that_are_not_there_do_little_harm():
    expected = np.array([7.0, 3.0, 2.0])
    seen = driven(3, expected, share=0.5, noise=0.08, wrong=8)
    fit = align_map(surveyed(), seen)
    right = len(seen.positions) - 8
    assert (fit.matches[:right] >= 0).mean() > 0.9
    assert error(fit.odom_from_map, expected, surveyed().positions) < 0.25
    assert fit.residual < 0.2


def test_wrong_colours_are_outliers():
    expected = np.array([7.0, 3.0, 2.0])
    seen = driven(3, expected)
    seen.classes[::8] = ConeClass.BIG_ORANGE
    fit = align_map(surveyed(), seen)
    assert error(fit.odom_from_map, expected, surveyed().positions) < 0.15


def test_unknown_colours_go_with_any():
    expected = np.array([7.0, 3.0, 2.0])
    seen = driven(3, expected)
    seen.classes[::2] = ConeClass.UNKNOWN
    fit = align_map(surveyed(), seen)
    assert fit.inliers > 0.95
    assert error(fit.odom_from_map, expected, surveyed().positions) < 0.15


def test_coordinates_may_be_large():
    far = np.array([500_000.0, 4_600_000.0])
    survey = ConeMap(surveyed().positions + far, surveyed().classes)
    fit = align_map(survey, driven(3, np.array([1.0, 2.0, 0.5])))
    placed = moved(survey.positions, fit.odom_from_map)
    np.testing.assert_allclose(
        placed, moved(surveyed().positions, np.array([1.0, 2.0, 0.5])), atol=0.1
    )


@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize("other", [4, 5, 6])
def test_the_map_of_another_track_is_refused(other: int, share: float):
    with pytest.raises(
        AlignmentError, match=r"does not fit the drive: \d+ of \d+ seen cones .*RMS"
    ):
        align_map(surveyed(other), driven(3, np.array([7.0, 3.0, 2.0]), share=share))


def test_a_map_in_feet_is_refused():
    survey = ConeMap(surveyed().positions / 0.3048, surveyed().classes)
    with pytest.raises(AlignmentError, match="expected"):
        align_map(survey, driven(3, np.zeros(3)))


def test_a_drifting_odometry_is_refused():
    seen = driven(3, np.zeros(3))
    stretched = seen._replace(positions=seen.positions * 1.06)
    with pytest.raises(AlignmentError, match="Does the odometry drift"):
        align_map(surveyed(), stretched)


def test_a_straight_that_fits_everywhere_is_refused():
    # Pairs of cones every 5 m, of which the car saw 5 of 14: they fit 10 times, each also turned.
    track = acceleration()
    straight = ConeMap(track.positions[:28], track.classes[:28])
    seen = np.abs(straight.positions[:, 0] - 35) < 11
    poses = np.array([[20.0, 0.0, 0.0], [30.0, 0.0, 0.0], [40.0, 0.0, 0.0]])
    with pytest.raises(AlignmentError, match=r"fits at several places: 100% .* at the best"):
        align_map(straight, SeenCones(straight.positions[seen], straight.classes[seen], poses))


def test_too_few_cones_are_refused():
    seen = driven(3, np.zeros(3))
    few = SeenCones(seen.positions[:5], seen.classes[:5], seen.poses)
    with pytest.raises(AlignmentError, match="5 cones were seen for sure, expected 8"):
        align_map(surveyed(), few)


@pytest.mark.parametrize(("cones", "message"), [(5, "5 cones were seen"), (10, "does not fit")])
def test_few_frames_are_told_before_the_drive_is_blamed(cones: int, message: str):
    seen = driven(3, np.zeros(3))
    few = SeenCones(seen.positions[:cones], seen.classes[:cones], seen.poses[:20])
    with pytest.raises(AlignmentError, match=rf"{message}.* only 20 frames .* --frames") as told:
        align_map(surveyed(), few)
    assert "odometry drift" not in str(told.value)


def test_a_map_without_the_colours_that_were_seen_is_refused():
    survey = ConeMap(surveyed().positions, np.full(len(surveyed().classes), ConeClass.SMALL_ORANGE))
    seen = driven(3, np.zeros(3))
    blue = seen.classes == ConeClass.BLUE
    with pytest.raises(AlignmentError, match=r"\(blue\) look like two of the map \(small_orange\)"):
        align_map(survey, SeenCones(seen.positions[blue], seen.classes[blue], seen.poses))
