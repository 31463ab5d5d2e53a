"""Bags are written whole, and never over another one."""

import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter

ODOMETRY = "nav_msgs/msg/Odometry"


def test_an_interrupted_recording_stays_readable(tmp_path):
    def record():
        with BagWriter(tmp_path / "bag") as bag:
            bag.write("/odom", ODOMETRY, 5, messages.odometry_msg(5, (1.0, 2.0, 0.0)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record()
    with BagReader(tmp_path / "bag") as bag:
        [(_, stamp, msg)] = bag.messages()
    assert (stamp, msg.pose.pose.position.y) == (5, 2.0)
    assert bag.warnings == []


def test_an_existing_bag_is_not_overwritten(drive):
    with pytest.raises(BagError, match="exists already, not overwriting"):
        BagWriter(drive)


def test_a_topic_keeps_its_type(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/odom", ODOMETRY, 5, messages.odometry_msg(5, (1.0, 2.0, 0.0)))
        with pytest.raises(BagError, match="/odom holds nav_msgs/msg/Odometry, cannot take"):
            bag.write("/odom", "sensor_msgs/msg/Image", 6, b"")


def test_an_unknown_type_cannot_be_written(tmp_path):
    with (
        BagWriter(tmp_path / "bag") as bag,
        pytest.raises(BagError, match="unknown message type acme_msgs/msg/Gadget"),
    ):
        bag.write("/odd", "acme_msgs/msg/Gadget", 5, b"")


def test_serialized_messages_pass_through(drive, tmp_path):
    with BagReader(drive) as source, BagWriter(tmp_path / "copy") as copy:
        for raw in source.raw_messages():
            copy.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
    with BagReader(drive) as source, BagReader(tmp_path / "copy") as copy:
        assert list(copy.raw_messages()) == list(source.raw_messages())


def test_nothing_is_written_after_closing(tmp_path):
    bag = BagWriter(tmp_path / "bag")
    bag.close()
    with pytest.raises(BagError, match="already closed"):
        bag.write("/odom", ODOMETRY, 5, messages.odometry_msg(5, (1.0, 2.0, 0.0)))


@pytest.mark.parametrize(
    ("removed_by", "error", "stays"),
    [
        (BaseException, KeyboardInterrupt, False),
        (Exception, OSError, False),
        (Exception, KeyboardInterrupt, True),
        ((), OSError, True),
    ],
)
def test_a_bag_is_removed_by_the_errors_that_its_writer_names(tmp_path, removed_by, error, stays):
    def record():
        with BagWriter(tmp_path / "bag", removed_by=removed_by) as bag:
            bag.write("/odom", ODOMETRY, 5, messages.odometry_msg(5, (1.0, 2.0, 0.0)))
            raise error

    with pytest.raises(error):
        record()
    assert (tmp_path / "bag").exists() == stays


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_static_transforms_are_latched_for_late_subscribers(tmp_path, sqlite):
    with BagWriter(tmp_path / "bag", sqlite=sqlite) as bag:
        bag.write("/car/tf_static", "tf2_msgs/msg/TFMessage", 5, messages.transforms_msg(5, []))
        bag.write("/tf", "tf2_msgs/msg/TFMessage", 5, messages.transforms_msg(5, []))
    (tmp_path / "bag" / "metadata.yaml").unlink()
    with BagReader(tmp_path / "bag") as bag:
        [latched] = bag.qos["/car/tf_static"]
        assert (latched.durability.name, latched.depth) == ("TRANSIENT_LOCAL", 1)
        assert bag.qos["/tf"] == []


def test_the_quality_of_service_of_a_source_is_kept(tmp_path):
    with BagWriter(tmp_path / "first") as bag:
        bag.write("/tf_static", "tf2_msgs/msg/TFMessage", 5, messages.transforms_msg(5, []))
    with BagReader(tmp_path / "first") as source:
        offered = [source.qos["/tf_static"][0]._replace(depth=7)]
        with BagWriter(tmp_path / "copy", qos={"/scan": offered}) as copy:
            copy.write("/scan", "sensor_msgs/msg/LaserScan", 5, b"")
    with BagReader(tmp_path / "copy") as copy:
        assert copy.qos == {"/scan": offered}


def test_a_database_is_not_written_where_its_path_would_be_misread(tmp_path):
    with pytest.raises(BagError, match=r"its path has one of # % \?"):
        BagWriter(tmp_path / "a#b", sqlite=True)
    assert list(tmp_path.iterdir()) == []
