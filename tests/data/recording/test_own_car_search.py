"""The own car is looked for in the clouds of a whole drive."""

import numpy as np
import pytest

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter
from conegrad_data.recording.own_car_search import find_own_car, with_own_car

HEIGHT = 1.0
REDUCTION = ReductionConfig(sensor_height=HEIGHT)
ROLES = {"points": "/points"}


def cloud(place: int) -> np.ndarray:
    """A wheel to either side, and things around that depend on the place of the car."""
    rng = np.random.default_rng(place)
    spots = np.repeat(rng.uniform((4, -15), (18, 15), (25, 2)), 5, axis=0)
    things = np.column_stack([spots, rng.uniform(0.2, 0.6, len(spots)) - HEIGHT])
    wheels = rng.uniform((1.3, -0.8, 0.1 - HEIGHT), (1.7, 0.8, 0.4 - HEIGHT), (600, 3))
    ground = np.column_stack([rng.uniform(-9, 9, (300, 2)), np.full(300, -HEIGHT)])
    return np.vstack([things, wheels[np.abs(wheels[:, 1]) > 0.5], ground])


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "bag"
    with BagWriter(path) as writer:
        for index in range(6):
            stamp = (1 + index) * messages.NANOSECONDS
            msg = messages.points_msg(stamp, "lidar", cloud(index))
            writer.write("/points", "sensor_msgs/msg/PointCloud2", stamp, msg)
    with BagReader(path) as reader:
        yield reader


def test_the_car_of_a_drive_becomes_a_setting(bag):
    config = with_own_car(bag, ROLES, REDUCTION)
    corners = config.own_car().outline.corners
    np.testing.assert_allclose(corners.min(axis=0), [1.2, -0.9], atol=0.11)
    np.testing.assert_allclose(corners.max(axis=0), [1.8, 0.9], atol=0.11)


@pytest.mark.parametrize(
    "settings",
    [{"find_car": False}, {"car_ahead": 2.0, "car_beside": 0.9}, {"car_outline": "0 0; 1 0; 0 1"}],
)
def test_a_car_that_is_given_or_kept_is_not_looked_for(bag, settings):
    config = ReductionConfig(sensor_height=HEIGHT, **settings)
    assert find_own_car(bag, ROLES, config) is None
    assert with_own_car(bag, ROLES, config) is config


def test_a_drive_without_clouds_has_no_car(bag):
    assert find_own_car(bag, {}, REDUCTION) is None
