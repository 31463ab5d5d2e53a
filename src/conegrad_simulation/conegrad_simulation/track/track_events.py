"""The fixed courses of the rules: acceleration and skidpad."""

import numpy as np

from conegrad_core.cones import ConeClass
from conegrad_simulation.planar import Floats
from conegrad_simulation.track.curve import resample
from conegrad_simulation.track.track import Track

STEP = 0.25  # [m] between points of the centre line

ACCELERATION_LENGTH = 75.0  # [m]
STOP_LENGTH = 100.0  # [m], behind the finish
HALF_LANE = 1.75  # [m] of the acceleration
TIMING_GAP = 1.3  # [m] between the two big cones of one side of a line

CENTRE_DISTANCE = 18.25  # [m] between the middles of the two skidpad circles
INNER_RADIUS, OUTER_RADIUS = 15.25 / 2, 21.25 / 2  # [m]
INNER_CONES, OUTER_CONES = 16, 13


def acceleration() -> Track:
    """75 m straight along x from the start line at x = 0, then the stop area."""
    along = np.arange(5.0, ACCELERATION_LENGTH - 1.0, 5.0)
    stop = np.arange(ACCELERATION_LENGTH + 5.0, ACCELERATION_LENGTH + STOP_LENGTH + 1.0, 5.0)
    lines = np.array([0.0, TIMING_GAP, ACCELERATION_LENGTH, ACCELERATION_LENGTH + TIMING_GAP])
    gate = np.stack([np.full(3, stop[-1]), np.array([-0.9, 0.0, 0.9])], axis=1)
    centre = np.array([[-2.0, 0.0], [ACCELERATION_LENGTH + STOP_LENGTH - 5.0, 0.0]])
    return _track(
        "acceleration",
        [
            (_beside(along, HALF_LANE), ConeClass.BLUE),
            (_beside(along, -HALF_LANE), ConeClass.YELLOW),
            (_beside(lines, HALF_LANE), ConeClass.BIG_ORANGE),
            (_beside(lines, -HALF_LANE), ConeClass.BIG_ORANGE),
            (_beside(stop, HALF_LANE), ConeClass.SMALL_ORANGE),
            (_beside(stop, -HALF_LANE), ConeClass.SMALL_ORANGE),
            (gate, ConeClass.SMALL_ORANGE),
        ],
        centre,
    )


def skidpad() -> Track:
    """Figure of eight: enter along x, twice around the right circle, twice around the left."""
    right, left = np.array([0.0, -CENTRE_DISTANCE / 2]), np.array([0.0, CENTRE_DISTANCE / 2])
    half_lane = (OUTER_RADIUS - INNER_RADIUS) / 2
    lane = np.array([-11.0, -9.0, 9.0, 11.2, 13.4, 15.6, 17.8, 20.0])
    gate = np.array([[20.0, -0.5], [20.0, 0.5]])
    timing = np.array([-0.75, 0.75])
    return _track(
        "skidpad",
        [
            (_circle(left, INNER_RADIUS, INNER_CONES), ConeClass.BLUE),
            (_outer_arc(right), ConeClass.BLUE),
            (_circle(right, INNER_RADIUS, INNER_CONES), ConeClass.YELLOW),
            (_outer_arc(left), ConeClass.YELLOW),
            (_beside(timing, half_lane + 0.05), ConeClass.BIG_ORANGE),
            (_beside(timing, -half_lane - 0.05), ConeClass.BIG_ORANGE),
            (_beside(lane, half_lane), ConeClass.SMALL_ORANGE),
            (_beside(lane, -half_lane), ConeClass.SMALL_ORANGE),
            (gate, ConeClass.SMALL_ORANGE),
        ],
        _figure_of_eight(),
    )


def _track(name: str, groups: list[tuple[Floats, ConeClass]], centre: Floats) -> Track:
    positions = np.vstack([group for group, _ in groups])
    classes = np.concatenate([np.full(len(group), int(colour)) for group, colour in groups])
    line = resample(centre, STEP, is_closed=False)
    return Track(name, positions, classes.astype(np.int64), line, is_closed=False)


def _beside(along: Floats, offset: float) -> Floats:
    return np.stack([along, np.full(len(along), offset)], axis=1)


def _circle(centre: Floats, radius: float, count: int) -> Floats:
    angle = (np.arange(count) + 0.5) * 2 * np.pi / count
    return np.asarray(centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def _outer_arc(centre: Floats) -> Floats:
    """Cones of the outer circle that stand clear of the entry lane and of the other circle."""
    outward = np.pi / 2 if centre[1] > 0 else -np.pi / 2
    half = np.radians(125.0)
    angle = outward + np.linspace(-half, half, OUTER_CONES)
    return np.asarray(centre + OUTER_RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def _figure_of_eight() -> Floats:
    radius = CENTRE_DISTANCE / 2
    turn = np.linspace(0.0, 4 * np.pi, 400)
    right = np.stack([radius * np.sin(turn), radius * (np.cos(turn) - 1.0)], axis=1)
    left = right * [1.0, -1.0]
    entry, leave = np.array([[-13.0, 0.0]]), np.array([[19.0, 0.0]])
    return np.vstack([entry, right, left[1:], leave])
