"""Whatever bytes of a bag are damaged, it is read, told or refused; nothing is lost silently."""

import contextlib
import random

import pytest

from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError

TRIES = 40
MESSAGES = 8


def damaged(whole, rng):
    """Cut, filled with zeros, shortened inside, or with some other bytes."""
    place = rng.randrange(len(whole))
    kind = rng.randrange(6)
    if kind == 0:
        return whole[:place]
    if kind == 1:
        return whole[:place] + bytes(len(whole) - place)
    if kind == 2:
        return whole[:place] + whole[place + rng.randrange(1, 64) :]
    changed = bytearray(whole)
    for _ in range(rng.choice([1, 2, 8, 40])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def read(folder):
    """Messages and warnings; every message is decoded, or refused as a part of the bag."""
    with BagReader(folder) as bag:
        messages = list(bag.raw_messages())
        for raw in messages:
            with contextlib.suppress(BagError):
                bag.decode(raw)
        assert isinstance(bag.qos, dict)
        return messages, bag.warnings


@pytest.mark.parametrize("name", ["bag.mcap", "bag.db3", "metadata.yaml"])
def test_damaged_bytes_are_told(tmp_path, record_drive, name):
    folder = tmp_path / "bag"
    record_drive(folder, sqlite=name.endswith("db3"))
    whole, rng = (folder / name).read_bytes(), random.Random(4)
    told = 0
    for _ in range(TRIES):
        (folder / name).write_bytes(damaged(whole, rng))
        try:
            messages, warnings = read(folder)
        except (BagError, OSError) as error:
            warnings = [str(error)]
        else:
            assert len(messages) == MESSAGES or warnings
        assert all("\n" not in warning for warning in warnings)
        told += bool(warnings)
    assert told > TRIES // 4


def test_the_summary_of_a_file_is_compared_with_its_check_sum(tmp_path, drive):
    from mcap.writer import Writer

    path = tmp_path / "summed.mcap"
    with BagReader(drive) as bag, path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2")
        channels = {}
        for raw in bag.raw_messages():
            if raw.topic not in channels:
                schema = writer.register_schema(raw.msgtype, "ros2msg", b"")
                channels[raw.topic] = writer.register_channel(raw.topic, "cdr", schema)
            writer.add_message(channels[raw.topic], raw.receive_ns, raw.data, raw.receive_ns)
        writer.finish()
    content = bytearray(path.read_bytes())
    content[content.rindex(b"/scan")] = ord("x")
    path.write_bytes(content)
    with BagReader(path) as bag:
        assert set(bag.topics) == {"/odom", "/scan"}
        assert len(list(bag.raw_messages())) == MESSAGES
