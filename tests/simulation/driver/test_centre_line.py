"""The centre line between perceived cones."""

import numpy as np
import pytest

from conegrad_simulation.driver.centre_line import centre_line
from conegrad_simulation.driver.cone_memory import KnownCones
from conegrad_simulation.driver.lane_search import SearchConfig, search_lane

HALF = 1.75  # [m], half of the lane in these tests
SPACING = 4.0  # [m] between cones of one side
LEFT, RIGHT, UNKNOWN = 1.0, -1.0, 0.0


def lane(curvature=0.0, start=-2.0, end=15.0):
    """Cones on both sides of a line through the car that bends to the left from the car on."""
    rows = []
    for along in np.arange(start, end, SPACING):
        for side in (LEFT, RIGHT):
            rows.append((*point(curvature, along, side * HALF), side))
    return np.array(rows)


def point(curvature, along, offset):
    """A point beside a line that is straight behind the car and bends ahead of it."""
    if along < 0 or curvature == 0:
        return along, offset
    angle, radius = along * curvature, 1 / curvature
    return (radius - offset) * np.sin(angle), radius - (radius - offset) * np.cos(angle)


def line_of(rows):
    rows = np.asarray(rows, dtype=float).reshape(-1, 3)
    return centre_line(KnownCones(rows[:, :2], rows[:, 2]), SearchConfig())


def off(line, curvature):
    """Largest distance of the first 12 m of a line from the middle of the lane [m]."""
    points = line.points[:24]
    assert len(points) == 24
    if curvature == 0:
        return np.abs(points[:, 1]).max()
    return np.abs(np.hypot(points[:, 0], points[:, 1] - 1 / curvature) - abs(1 / curvature)).max()


@pytest.mark.parametrize("curvature", [0.0, 0.1, -0.1, 0.18])
def test_runs_in_the_middle_of_a_lane(curvature):
    assert off(line_of(lane(curvature)), curvature) < 0.35


@pytest.mark.parametrize("missing", range(10))
def test_a_missing_cone_hardly_moves_it(missing):
    rows = np.delete(lane(0.1), missing, axis=0)
    assert off(line_of(rows), 0.1) < 0.5


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_one_border_alone_is_followed_at_half_the_width(side):
    rows = lane()
    line = line_of(rows[rows[:, 2] == side])
    assert np.abs(line.points[:24, 1]).max() < 0.4


@pytest.mark.parametrize("side", [LEFT, RIGHT])
@pytest.mark.parametrize("curvature", [0.1, -0.1])
def test_one_border_of_a_corner_is_followed(side, curvature):
    rows = lane(curvature)
    assert off(line_of(rows[rows[:, 2] == side]), curvature) < 0.7


@pytest.mark.parametrize("curvature", [0.0, 0.1, -0.1])
def test_cones_of_unknown_colour_are_enough(curvature):
    rows = lane(curvature)
    rows[:, 2] = UNKNOWN
    assert off(line_of(rows), curvature) < 0.4


@pytest.mark.parametrize("wrong", range(2, 8))
def test_one_cone_of_the_wrong_colour_hardly_moves_it(wrong):
    rows = lane(0.1)
    rows[wrong, 2] *= -1
    assert off(line_of(rows), 0.1) < 0.5


def test_orange_cones_of_a_start_line_stand_on_either_side():
    start = [(x, side * HALF, UNKNOWN) for x in (3.0, 4.2) for side in (LEFT, RIGHT)]
    assert off(line_of([*lane(), *start]), 0.0) < 0.2


def test_cones_of_the_neighbouring_lane_have_no_effect():
    # The next lane runs the other way: its near border is blue as well.
    other = [(x, HALF + 3.0, LEFT) for x in np.arange(0.0, 16.0, SPACING)]
    other += [(x, HALF + 6.5, RIGHT) for x in np.arange(0.0, 16.0, SPACING)]
    assert off(line_of([*lane(), *other]), 0.0) < 0.2


def test_a_car_beside_the_middle_is_led_back_to_it():
    rows = lane()
    rows[:, 1] += 0.8
    assert np.abs(line_of(rows).points[6:24, 1] - 0.8).max() < 0.3


def test_ends_where_the_cones_end():
    # The last cones stand at 10 m; a border goes on for 3 m beyond them.
    assert line_of(lane(end=11.0)).length == pytest.approx(12.5, abs=0.6)


def test_without_cones_there_is_no_line():
    line = line_of(np.zeros((0, 3)))
    assert (line.length, line.pairs) == (0.0, (0, 0))


def test_the_search_starts_at_the_car_and_has_its_reach():
    rows = lane()
    poses = search_lane(KnownCones(rows[:, :2], rows[:, 2]), SearchConfig(reach=9.0, step=1.5))
    assert poses.shape == (7, 3)
    assert not poses[0].any()
