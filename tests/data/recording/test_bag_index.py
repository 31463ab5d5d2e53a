"""What one pass over a bag finds, and how messages are found again."""

import pytest

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_data.recording.bag_index import MessageReference, index_bag, read_messages

SECOND = 1_000_000_000
ODOMETRY = "nav_msgs/msg/Odometry"
FIRST_NS, DELAY_NS = 100 * SECOND, 5_000_000


def test_the_index_has_the_times_and_frames_of_every_topic(drive):
    with BagReader(drive) as bag:
        index = index_bag(bag, {})
    assert sorted(index) == ["/odom", "/scan"]
    stamps = [FIRST_NS + step * SECOND // 10 for step in range(5)]
    assert index["/scan"].stamp_ns == stamps
    assert index["/scan"].receive_ns == [stamp + DELAY_NS for stamp in stamps]
    assert (index["/scan"].frames, index["/odom"].frames) == ({"lidar"}, {"odom"})


def test_handlers_get_the_messages_of_their_topic_in_order_and_where_they_lie(drive):
    found, firsts = [], []
    with BagReader(drive) as bag:
        index_bag(
            bag,
            {"/odom": lambda raw, reference: found.append(reference)},
            first=lambda raw, _: firsts.append(raw.topic),
        )
    stamps = [FIRST_NS + step * SECOND // 10 for step in range(3)]
    assert found == [MessageReference("/odom", s + DELAY_NS, s, "odom") for s in stamps]
    assert sorted(firsts) == ["/odom", "/scan"]


def test_only_the_topics_that_are_asked_for_are_read(drive):
    with BagReader(drive) as bag:
        assert list(index_bag(bag, {}, topics=["/odom"])) == ["/odom"]


def test_a_message_without_the_bytes_of_a_header_has_no_place_and_is_a_fault(tmp_path):
    references = []
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/odom", ODOMETRY, 1, b"\x00\x01\x00\x00\x01")
        writer.write("/odom", ODOMETRY, 2, messages.odometry_msg(SECOND, (0.0, 0.0, 0.0)))
    with BagReader(tmp_path / "bag") as bag:
        index = index_bag(bag, {"/odom": lambda raw, reference: references.append(reference)})
    assert references == [None, MessageReference("/odom", 2, SECOND, "odom")]
    assert index["/odom"].fault == "a message of 5 bytes has no header"
    assert index["/odom"].stamp_ns == [0, SECOND]  # 0 as one that was not set


def test_messages_of_a_type_without_a_header_have_receive_times_alone(tmp_path):
    text = messages.make("std_msgs/msg/String", data="go")
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/state", "std_msgs/msg/String", 7, text)
    with BagReader(tmp_path / "bag") as bag:
        state = index_bag(bag, {})["/state"]
    assert (state.receive_ns, state.stamp_ns, state.fault) == ([7], [], "")


def test_messages_are_found_again_by_their_stamp(drive):
    wanted = FIRST_NS + 2 * SECOND // 10
    with BagReader(drive) as bag:
        index = index_bag(bag, {})
        (reference,) = index["/scan"].at({wanted, 1}).values()
        (raw,) = read_messages(bag, [reference])
        assert bag.decode(raw).header.stamp.nanosec == wanted % SECOND
    assert raw.receive_ns == wanted + DELAY_NS


def test_of_messages_received_at_one_time_the_right_one_is_found(tmp_path):
    stamps = [SECOND, 2 * SECOND]
    with BagWriter(tmp_path / "bag") as writer:
        for stamp in stamps:
            writer.write("/odom", ODOMETRY, 9, messages.odometry_msg(stamp, (0.0, 0.0, 0.0)))
    with BagReader(tmp_path / "bag") as bag:
        references = list(index_bag(bag, {})["/odom"].at(set(stamps)).values())
        found = [bag.decode(raw).header.stamp.sec for raw in read_messages(bag, references)]
    assert found == [1, 2]


def test_a_message_that_is_no_longer_there_is_refused(drive):
    with BagReader(drive) as bag, pytest.raises(BagError, match="changed while it was read"):
        read_messages(bag, [MessageReference("/scan", 1, 1, "lidar")])
    with BagReader(drive) as bag:
        assert read_messages(bag, []) == []
