"""The own car is found in clouds while the car moves, and nothing else is taken for it."""

import numpy as np
import pytest

from conegrad_core.lidar.own_car import ENOUGH, PLACES, OwnCarFinder, read_outline, standing_car

CONE = (1.2, 0.5)  # ahead of the LiDAR, inside the reach of a car


def blob(x, y, size=0.2, low=0.1, high=0.4, count=60, seed=0) -> np.ndarray:
    """Returns of something on the ground; z is the height above it."""
    rng = np.random.default_rng(seed)
    half = 0.5 * size
    return rng.uniform((x - half, y - half, low), (x + half, y + half, high), (count, 3))


def surroundings(place: int) -> list[np.ndarray]:
    """Things around, at other spots wherever the car is."""
    rng = np.random.default_rng(100 + place)
    spots = rng.uniform((4, -15), (18, 15), (25, 2))
    return [blob(x, y, count=5, seed=k) for k, (x, y) in enumerate(spots)]


def wheels() -> list[np.ndarray]:
    return [blob(1.5, side, size=0.4, count=150) for side in (-0.7, 0.7)]


def drive(finder, places, *extra) -> None:
    for place in places:
        points = np.concatenate([*wheels(), *surroundings(place), *extra])
        finder.add(points, points[:, 2])


def test_finds_bodywork_that_stays_while_all_else_moves():
    finder = OwnCarFinder()
    drive(finder, range(PLACES))
    wheel, cone_ahead = blob(1.5, 0.7, size=0.4), blob(2.3, 0.0)
    assert finder.outline.contains(wheel).all()
    assert not finder.outline.contains(cone_ahead).any()
    assert "x 1.2 to 1.8 m" in str(finder)


def test_a_cone_in_front_of_a_standing_car_is_kept_however_long_it_stands():
    finder = OwnCarFinder()
    cone = blob(*CONE)
    drive(finder, [0] * 30, cone)
    points = np.concatenate([*surroundings(0), cone])
    assert finder.outline is None
    assert not finder.on_car(points, points[:, 2]).any()


def test_a_cone_that_stood_there_for_long_is_released_when_the_car_drives():
    finder = OwnCarFinder()
    drive(finder, [0] * 30, blob(2.3, 0.0))
    drive(finder, range(1, PLACES))
    assert not finder.outline.contains(blob(2.3, 0.0)).any()


def test_grass_around_the_car_is_no_bodywork():
    finder = OwnCarFinder()
    rng = np.random.default_rng(0)
    for place in range(PLACES + 1):
        flat = rng.uniform((-3.2, -3.2, 0.11), (3.2, 3.2, 0.19), (20_000, 3))
        points = np.concatenate([flat, *surroundings(place)])
        finder.add(points, points[:, 2])
    assert len(finder.outline.corners) == 0
    assert not finder.outline.contains(flat).any()


def test_a_standing_car_is_what_hangs_together_with_the_lidar():
    nose = blob(0.7, 0.0, size=1.0, low=0.3, high=0.5, count=2000)
    cone = blob(1.6, 0.0)
    points = np.concatenate([nose, cone])
    cut = standing_car(points, points[:, 2])
    assert cut[: len(nose)].all()
    assert not cut[len(nose) :].any()


@pytest.mark.parametrize(
    "near",
    [
        pytest.param(blob(0.4, 0.0), id="a cone beside the LiDAR"),
        pytest.param(blob(0.0, 0.5, size=8.0, count=40_000), id="a bush all around"),
    ],
)
def test_a_standing_car_does_not_claim_what_is_no_car(near):
    assert not standing_car(near, near[:, 2]).any()


def test_an_outline_survives_its_setting():
    finder = OwnCarFinder()
    drive(finder, range(PLACES))
    again = read_outline(finder.outline.as_setting())
    np.testing.assert_allclose(
        np.sort(again.corners, axis=0), np.sort(finder.outline.corners, axis=0), atol=0.006
    )
    assert OwnCarFinder(again).places == ENOUGH
    assert len(read_outline("none").corners) == 0


@pytest.mark.parametrize("text", ["1 2 3", "0 0; 1 1", "0 0; 1 1; 2 2", "a b"])
def test_refuses_an_outline_without_area(text):
    with pytest.raises(ValueError, match="expected x and y of three corners or more"):
        read_outline(text)
