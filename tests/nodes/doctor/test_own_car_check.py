"""Returns of the own car that the settings of the nodes leave in the clouds are told."""

import numpy as np
import pytest

pytest.importorskip("rclpy")

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.own_car_check import examine_own_car

HEIGHT, ROLES = 1.0, {"points": "/points"}


def cloud(place, has_car):
    """Things around that depend on the place, and wheels 1.3 to 1.7 m ahead, 0.5 m to each side."""
    rng = np.random.default_rng(place)
    spots = np.repeat(rng.uniform((4, -15), (18, 15), (25, 2)), 5, axis=0)
    things = np.column_stack([spots, rng.uniform(0.2, 0.6, len(spots)) - HEIGHT])
    wheels = rng.uniform((1.3, -0.8, 0.1 - HEIGHT), (1.7, 0.8, 0.4 - HEIGHT), (600, 3))
    wheels = wheels[np.abs(wheels[:, 1]) > 0.5] if has_car else wheels[:0]
    ground = np.column_stack([rng.uniform(-9, 9, (300, 2)), np.full(300, -HEIGHT)])
    return np.vstack([things, wheels, ground])


def recorded(path, places=6, has_car=True):
    with BagWriter(path) as writer:
        for index in range(places):
            stamp = (1 + index) * messages.NANOSECONDS
            msg = messages.points_msg(stamp, "lidar", cloud(index, has_car))
            writer.write("/points", "sensor_msgs/msg/PointCloud2", stamp, msg)
    return path


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    with BagReader(recorded(tmp_path_factory.mktemp("drive") / "bag")) as reader:
        yield reader


def finding(bag, **settings):
    (found,) = examine_own_car(bag, ROLES, ReductionConfig(sensor_height=HEIGHT, **settings))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"find_car": False}, id="kept"),
        pytest.param({"car_ahead": 1.0, "car_beside": 0.9}, id="box too short"),
        pytest.param({"car_outline": "1.2 -0.9; 1.8 -0.9; 1.8 0"}, id="half of it"),
    ],
)
def test_a_car_that_is_not_cut_is_told_with_a_remedy(bag, settings):
    found = finding(bag, **settings)
    assert found.level == Level.WARN
    assert "the own car in /points: x 1.2 to 1.8 m, y -0.9 to 0.9 m" in found.text
    assert "leave returns of it" in found.text
    assert "reduction.find_car: true" in found.remedy


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="the nodes find it"),
        pytest.param({"car_ahead": 1.8, "car_beside": 0.9}, id="box"),
        pytest.param({"car_outline": "1 -1; 2 -1; 2 1; 1 1"}, id="outline"),
    ],
)
def test_a_car_that_is_cut_is_in_order(bag, settings):
    assert finding(bag, **settings).level == Level.OK


def test_without_a_car_in_sight_or_places_enough_nothing_is_wrong(tmp_path):
    for name, changes in (("none", {"has_car": False}), ("few", {"places": 2})):
        with BagReader(recorded(tmp_path / name, **changes)) as bag:
            assert finding(bag, find_car=False).level == Level.OK


def test_a_graph_without_clouds_is_not_examined(bag):
    assert list(examine_own_car(bag, {"scan": "/scan"}, ReductionConfig())) == []
