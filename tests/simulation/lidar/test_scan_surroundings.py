"""Random surroundings of a planar LiDAR."""

import numpy as np
import pytest

from conegrad_simulation.lidar import garage_clutter, scan_surroundings
from conegrad_simulation.lidar.scan_surroundings import random_surroundings
from conegrad_simulation.lidar.surroundings import Surroundings


def made(add, seed=0):
    surroundings = Surroundings(np.random.default_rng(seed))
    add(surroundings)
    return surroundings.targets()


@pytest.mark.parametrize("seed", range(8))
def test_all_shares_and_sizes_are_possible(seed):
    targets = random_surroundings(np.random.default_rng(seed))
    assert len(targets.is_cone) == len(targets.frusta) + len(targets.walls)
    assert ((targets.solidity > 0) & (targets.solidity <= 1.1)).all()
    assert (targets.depth_scatter >= 0).all()
    assert (targets.frusta[:, 2:5] > 0).all()
    assert (targets.walls[:, 4] > 0).all()


def test_surroundings_are_a_function_of_the_seed():
    first, again, other = (random_surroundings(np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.frusta, again.frusta)
    assert first.frusta.shape != other.frusta.shape


@pytest.mark.parametrize(
    ("add", "cones"),
    [
        (scan_surroundings.add_course, True),
        (scan_surroundings.add_far_course, True),
        (scan_surroundings.add_loose_cones, True),
        (scan_surroundings.add_people, False),
        (scan_surroundings.add_objects, False),
        (scan_surroundings.add_boxes, False),
        (scan_surroundings.add_fence, False),
        (scan_surroundings.add_wall_line, False),
        (scan_surroundings.add_bushes, False),
        (scan_surroundings.add_far_scatter, False),
        (garage_clutter.add_furniture, False),
        (garage_clutter.add_pillars, False),
        (garage_clutter.add_wall_ends, False),
        (garage_clutter.add_tyres, False),
        (garage_clutter.add_vehicles, False),
        (garage_clutter.add_room, False),
    ],
)
def test_only_courses_and_loose_cones_are_labelled_as_cones(add, cones):
    labels = np.concatenate([made(add, seed).is_cone for seed in range(6)])
    assert len(labels)
    assert (labels == cones).all()


def test_an_upright_cone_is_a_body_on_a_wider_plate():
    targets = made(lambda s: s.add_cone(np.array([3.0, -1.0])), seed=1)
    body, plate = targets.frusta
    assert body[:2].tolist() == plate[:2].tolist() == [3.0, -1.0]
    assert body[4] > plate[4]
    assert body[3] < body[2] < plate[2]


def test_walls_keep_their_ends_and_height():
    targets = made(lambda s: s.add_wall(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 0.5, 0.1, 0.7))
    assert targets.walls.tolist() == [[1.0, 2.0, 3.0, 4.0, 0.5]]
    assert (targets.depth_scatter[0], targets.solidity[0]) == (0.1, 0.7)


def test_a_room_without_gaps_surrounds_the_sensor():
    walls = made(garage_clutter.add_room, seed=1).walls
    directions = np.arctan2(walls[:, 1], walls[:, 0])
    assert np.ptp(directions) > np.pi
    assert np.hypot(walls[:, 0], walls[:, 1]).max() < 40


def test_a_table_stands_on_four_legs_of_its_height():
    targets = made(
        lambda s: s.add_table(np.array([3.0, 0.0]), np.array([2.0, 1.0]), 0.0, 0.7, 0.02)
    )
    assert len(targets.frusta) == 4
    np.testing.assert_allclose(targets.frusta[:, 4], 0.7)
    np.testing.assert_allclose(targets.frusta[:, :2].mean(axis=0), [3.0, 0.0], atol=1e-12)
