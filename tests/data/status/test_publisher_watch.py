"""A second publisher of a topic is told, a restart is not."""

import pytest

from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_data.status.part_status import Level
from conegrad_data.status.publisher_watch import PublisherWatch

NOBODY = "/_NODE_NAMESPACE_UNKNOWN_/_NODE_NAME_UNKNOWN_"


def fault(names, seconds):
    """What is told of publishers that were the same for some seconds."""
    watch = PublisherWatch()
    watch.note(names, 10.0)
    watch.note(names, 10.0 + seconds)
    return watch.fault("/cones", 10.0 + seconds)


@pytest.mark.parametrize(
    ("names", "seconds", "is_told"),
    [
        pytest.param(["/lidar_node"], 99.0, False, id="one"),
        pytest.param(["/lidar_node", "/stranger"], 2.5, True, id="a stranger"),
        pytest.param(["/lidar_node", NOBODY], 1.0, False, id="a node whose name is not known yet"),
        pytest.param(["/lidar_node", "/lidar_node"], 20.0, False, id="killed and started again"),
        pytest.param(["/lidar_node", "/lidar_node"], 31.0, True, id="twice of one name"),
    ],
)
def test_a_second_publisher_is_told_and_a_restart_is_not(names, seconds, is_told):
    assert bool(fault(names, seconds)) is is_told


def test_publishers_are_named():
    text = fault(["/stranger", "/lidar_node", NOBODY], 5.0)
    assert "3 publishers: /lidar_node, /stranger, a participant without a node" in text


def test_a_stranger_who_leaves_is_forgotten():
    watch = PublisherWatch()
    for now, names in ((0.0, ["/a", "/b"]), (5.0, ["/a"]), (6.0, ["/a", "/b"])):
        watch.note(names, now)
    assert watch.fault("/cones", 6.5) == ""


def test_an_input_with_two_publishers_is_an_error_although_messages_come():
    record = InputRecord("/scan", "sensor_msgs/msg/LaserScan", timeout=1.0, stamp_tolerance=1.0)
    record.note(0, 0, now=20.0)
    for now in (15.0, 20.0):
        record.publishers.note(["/lidar_node", "/stranger"], now)
    finding = input_status(record, list, now=20.0)
    assert (finding.level, finding.cause) == (Level.ERROR, "several publishers")
