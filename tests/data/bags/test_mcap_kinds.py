"""An MCAP file is read whole whichever index its writer gave it, and past what is damaged."""

import itertools

import pytest
from mcap.writer import CompressionType, IndexType, Writer

from conegrad_data.bags import mcap_scan
from conegrad_data.bags.reader import BagReader

NO_SUMMARY = {
    "index_types": IndexType.NONE,
    "use_statistics": False,
    "use_summary_offsets": False,
    "repeat_channels": False,
    "repeat_schemas": False,
}
WRITERS = {
    "as rosbag2 writes it": {},
    "no chunks": {"use_chunking": False},
    "chunk index without message index": {"index_types": IndexType.CHUNK},
    "no index": {"index_types": IndexType.NONE},
    "no summary": NO_SUMMARY,
    "no channels in the summary": {"repeat_channels": False, "repeat_schemas": False},
    "no statistics": {"use_statistics": False},
    "lz4": {"compression": CompressionType.LZ4},
    "no compression": {"compression": CompressionType.NONE},
}


@pytest.fixture
def recorded(drive):
    """Messages of a drive, and the definitions of their types."""
    with BagReader(drive) as bag:
        types = {topic.msgtype for topic in bag.topics.values()}
        definitions = {t: bag.typestore.generate_msgdef(t, ros_version=2)[0] for t in types}
        return list(bag.raw_messages()), definitions


def write_mcap(path, messages, definitions, *, profile="ros2", encoding="cdr", **options):
    """An MCAP file; chunks hold one or two messages."""
    with path.open("wb") as file:
        writer = Writer(file, **{"chunk_size": 500, **options})
        writer.start(profile=profile)
        channels = {}
        for raw in messages:
            if raw.topic not in channels:
                text = definitions[raw.msgtype].encode()
                schema = writer.register_schema(raw.msgtype, "ros2msg", text)
                channels[raw.topic] = writer.register_channel(raw.topic, encoding, schema)
            times = raw.receive_ns, raw.receive_ns
            writer.add_message(channels[raw.topic], times[0], bytes(raw.data), times[1])
        writer.finish()
    return path


def by_topic(messages):
    return sorted(messages, key=lambda raw: raw.topic, reverse=True)


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
@pytest.mark.parametrize("order", [list, by_topic], ids=["in order", "topic by topic"])
@pytest.mark.parametrize("profile", ["ros2", ""], ids=["ros2", "no profile"])
def test_every_message_is_read_in_order_and_nothing_is_called_damaged(
    tmp_path, recorded, options, order, profile
):
    messages, definitions = recorded
    path = tmp_path / "bag.mcap"
    write_mcap(path, order(messages), definitions, profile=profile, **options)
    with BagReader(path) as bag:
        read = list(bag.raw_messages())
        assert sorted(read) == sorted(messages)
        assert all(a.receive_ns <= b.receive_ns for a, b in itertools.pairwise(read))
        assert {name: topic.count for name, topic in bag.topics.items()} == {"/odom": 3, "/scan": 5}
        assert bag.warnings == []


def test_some_time_is_read_alone(tmp_path, recorded):
    messages, definitions = recorded
    path = write_mcap(tmp_path / "bag.mcap", by_topic(messages), definitions)
    third = messages[4].receive_ns
    with BagReader(path) as bag:
        found = list(bag.raw_messages(["/scan"], third, third + 1))
    assert [(raw.topic, raw.receive_ns) for raw in found] == [("/scan", third)]


@pytest.mark.parametrize("options", [{}, NO_SUMMARY], ids=["indexed", "not indexed"])
def test_a_damaged_chunk_is_told_and_the_others_are_read(tmp_path, recorded, options):
    messages, definitions = recorded
    path = write_mcap(
        tmp_path / "bag.mcap", messages, definitions, compression=CompressionType.NONE, **options
    )
    content = bytearray(path.read_bytes())
    place = content.index(bytes(messages[-1].data))
    content[place + 20] ^= 0xFF
    path.write_bytes(content)
    with BagReader(path) as bag:
        read = list(bag.raw_messages())
        assert messages[:4] == read[:4]
        assert len(read) < len(messages)
        assert any("crc" in w and "bag.mcap" in w and "lost" in w for w in bag.warnings)


def test_an_end_of_zeros_is_told(tmp_path, recorded):
    messages, definitions = recorded
    path = write_mcap(tmp_path / "bag.mcap", messages, definitions)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3] + bytes(4000))
    with BagReader(path) as bag:
        assert 0 < len(list(bag.raw_messages())) < len(messages)
        assert "damaged or cut short" in bag.warnings[-1]


def test_messages_that_are_not_cdr_are_told_by_their_encoding(tmp_path, recorded):
    messages, definitions = recorded
    path = write_mcap(tmp_path / "bag.mcap", messages, definitions, encoding="ros1")
    with BagReader(path) as bag:
        assert "/odom is encoded as ros1, expected cdr" in bag.warnings[0]
        assert not bag.topics["/odom"].is_readable


def test_a_file_without_messages_is_an_empty_bag(tmp_path):
    with BagReader(write_mcap(tmp_path / "bag.mcap", [], {})) as bag:
        assert (bag.topics, bag.duration, bag.warnings) == ({}, 0.0, [])


def test_what_is_wrong_is_told_by_every_reader_of_a_file(tmp_path, recorded):
    messages, definitions = recorded
    path = write_mcap(tmp_path / "bag.mcap", messages, definitions)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    for _ in range(2):
        with BagReader(path) as bag:
            assert "damaged or cut short" in bag.warnings[0]
    path.write_bytes(whole)
    with BagReader(path) as bag:
        assert bag.warnings == []


def test_messages_outside_of_chunks_are_read_in_runs(tmp_path, recorded, monkeypatch):
    monkeypatch.setattr(mcap_scan, "RUN_BYTES", 500)  # two messages or so
    messages, definitions = recorded
    path = tmp_path / "bag.mcap"
    write_mcap(path, by_topic(messages), definitions, use_chunking=False)
    third = messages[4].receive_ns
    with BagReader(path) as bag:
        times = [raw.receive_ns for raw in bag.raw_messages()]
        assert times == sorted(raw.receive_ns for raw in messages)
        found = list(bag.raw_messages(["/scan"], third, third + 1))
    assert [(raw.topic, raw.receive_ns) for raw in found] == [("/scan", third)]
