"""The short memory of cones."""

import numpy as np
import pytest

from conegrad_core.geometry.odometry import Pose2
from conegrad_simulation.driver.cone_memory import ConeMemory, MemoryConfig
from conegrad_simulation.driver.perceived_cones import PerceivedCones

HERE = Pose2(0.0, 0.0, 0.0)
BLUE, YELLOW, ORANGE, UNKNOWN = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)


def seen(*rows, std=0.1):
    """Cones from (x, y, colour)."""
    positions = np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2)
    colours = np.array([row[2] for row in rows], dtype=float).reshape(-1, 3)
    return PerceivedCones(positions, np.tile(std**2 * np.eye(2), (len(rows), 1, 1)), colours)


@pytest.fixture
def memory():
    return ConeMemory(MemoryConfig(duration=2.0, confirm=0.3))


def test_a_cone_stays_where_it_stands_while_the_car_turns(memory):
    for time in (0.0, 0.1):
        memory.add(seen((5.0, 0.0, BLUE)), HERE, time)
    # Two metres on and turned left by 90 degrees, the cone is 3 m to the right.
    known = memory.known(Pose2(2.0, 0.0, np.pi / 2))
    assert known.positions == pytest.approx(np.array([[0.0, -3.0]]))


def test_two_detections_of_a_cone_are_one_cone(memory):
    memory.add(seen((5.0, 0.0, BLUE)), HERE, 0.0)
    memory.add(seen((5.2, 0.1, BLUE)), HERE, 0.1)
    assert memory.known(HERE).positions == pytest.approx(np.array([[5.1, 0.05]]), abs=0.02)


def test_neighbours_stay_apart(memory):
    memory.add(seen((5.0, 0.0, BLUE), (7.0, 0.0, BLUE)), HERE, 0.0)
    memory.add(seen((5.1, 0.0, BLUE), (6.9, 0.0, BLUE)), HERE, 0.1)
    assert len(memory.known(HERE).positions) == 2


def test_a_cone_is_removed_after_its_duration(memory):
    for time in (0.0, 0.1):
        memory.add(seen((5.0, 0.0, BLUE)), HERE, time)
    memory.add(seen(), HERE, 2.0)
    assert len(memory.known(HERE).positions) == 1
    memory.add(seen(), HERE, 2.2)
    assert len(memory.known(HERE).positions) == 0


def test_a_single_detection_is_removed_early(memory):
    memory.add(seen((5.0, 0.0, BLUE)), HERE, 0.0)
    memory.add(seen(), HERE, 0.4)
    assert len(memory.known(HERE).positions) == 0


def test_cones_far_behind_are_removed(memory):
    for time in (0.0, 0.1):
        memory.add(seen((1.0, 2.0, BLUE)), HERE, time)
    memory.add(seen(), Pose2(8.0, 0.0, 0.0), 0.2)
    assert len(memory.known(HERE).positions) == 0


def test_the_colour_outlasts_detections_without_colour(memory):
    memory.add(seen((5.0, 1.0, BLUE), (5.0, -1.0, YELLOW), (9.0, 0.0, ORANGE)), HERE, 0.0)
    for time in (0.1, 0.2, 0.3):
        memory.add(seen((5.0, 1.0, UNKNOWN), (5.0, -1.0, UNKNOWN), (9.0, 0.0, UNKNOWN)), HERE, time)
    left, right, either = memory.known(HERE).sides
    # One look against the prior of half a look.
    assert (left, right, either) == pytest.approx((2 / 3, -2 / 3, 0.0))


def test_an_earlier_time_begins_a_new_run(memory):
    memory.add(seen((5.0, 0.0, BLUE)), HERE, 9.0)
    memory.add(seen((8.0, 0.0, BLUE)), HERE, 1.0)
    assert memory.known(HERE).positions == pytest.approx(np.array([[8.0, 0.0]]))
