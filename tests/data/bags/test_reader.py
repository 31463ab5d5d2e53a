"""Bags are read whole, or as far as they can be; nothing is lost silently."""

import shutil
import sqlite3

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter

SECOND = 1_000_000_000


def counts(bag):
    return {name: topic.count for name, topic in bag.topics.items()}


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_messages_come_back_as_they_were_written(tmp_path, sqlite, record_drive):
    record_drive(tmp_path / "bag", sqlite=sqlite)
    with BagReader(tmp_path / "bag") as bag:
        topic, receive_ns, scan = next(bag.messages(["/scan"]))
        assert counts(bag) == {"/odom": 3, "/scan": 5}
        assert (topic, receive_ns) == ("/scan", 100 * SECOND + 5_000_000)
        np.testing.assert_allclose(scan.ranges, [1.0, np.inf, 3.0])
        assert bag.duration == pytest.approx(0.4)


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_a_storage_file_is_read_without_its_metadata(tmp_path, sqlite, record_drive):
    record_drive(tmp_path / "bag", sqlite=sqlite)
    (tmp_path / "bag" / "metadata.yaml").unlink()
    suffix = "db3" if sqlite else "mcap"
    for path in (tmp_path / "bag", tmp_path / "bag" / f"bag.{suffix}"):
        with BagReader(path) as bag:
            assert len(list(bag.messages())) == 8


def test_compressed_chunks_are_read(tmp_path, record_drive):
    record_drive(tmp_path / "bag", is_compressed=True)
    with BagReader(tmp_path / "bag") as bag:
        assert len(list(bag.messages())) == 8


def test_a_cut_mcap_file_is_read_up_to_the_cut(tmp_path, caplog):
    with BagWriter(tmp_path / "bag") as writer:
        for index in range(40):
            stamp = index * SECOND
            image = messages.image_msg(stamp, "camera", np.zeros((100, 500, 3), dtype=np.uint8))
            writer.write("/image_raw", "sensor_msgs/msg/Image", stamp, image)
    file = tmp_path / "bag" / "bag.mcap"
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    with BagReader(cut) as bag:
        stamps = [stamp for _, stamp, _ in bag.messages(["/image_raw"])]

    # Chunks of 7 images (150 kB each) close above 1 MiB: two of them are whole in one half.
    assert stamps == [index * SECOND for index in range(14)]
    assert "cut.mcap" in bag.warnings[0]
    assert "14 messages over 13.0 s are readable" in bag.warnings[0]
    assert bag.warnings[0] in caplog.text


def test_a_cut_file_inside_a_bag_folder_is_read_too(drive):
    file = drive / "drive.mcap"
    file.write_bytes(file.read_bytes()[:-40])
    with BagReader(drive) as bag:
        assert len(list(bag.messages())) == 8
        assert "drive.mcap: damaged or cut short" in bag.warnings[0]


@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"not a bag at all" * 10])
def test_a_file_without_one_message_is_refused_by_name(tmp_path, content):
    path = tmp_path / "empty.mcap"
    path.write_bytes(content)
    with pytest.raises(BagError, match=r"empty\.mcap: no message can be read"):
        BagReader(path)


def test_a_damaged_database_is_refused_by_name(tmp_path, record_drive):
    record_drive(tmp_path / "bag", sqlite=True)
    file = tmp_path / "bag" / "bag.db3"
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(BagError, match=r"bag\.db3: cannot be read"):
        BagReader(file)


def write_unknown_type(path, record_drive):
    """A bag whose topic /odd has a type that neither it nor ROS defines."""
    record_drive(path, sqlite=True)
    database = sqlite3.connect(path / f"{path.name}.db3")
    row = (9, "/odd", "acme_msgs/msg/Gadget", "cdr", "", "")
    database.execute("INSERT INTO topics VALUES (?, ?, ?, ?, ?, ?)", row)
    database.execute("INSERT INTO messages VALUES (99, 9, 100000000000, ?)", (b"\0\1\0\0",))
    database.commit()
    database.close()
    (path / "metadata.yaml").unlink()


def test_an_unknown_type_is_named_and_the_rest_is_read(tmp_path, record_drive):
    write_unknown_type(tmp_path / "bag", record_drive)
    with BagReader(tmp_path / "bag") as bag:
        assert not bag.topics["/odd"].is_readable
        assert "/odd has the unknown message type acme_msgs/msg/Gadget" in bag.warnings[0]
        assert len(list(bag.messages())) == 8
        with pytest.raises(BagError, match="/odd has the unknown message type"):
            list(bag.messages(["/odd"]))


def test_a_type_that_only_the_bag_defines_is_read(tmp_path):
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
    writer.open()
    connection = writer.add_connection(
        "/gadget", "acme_msgs/msg/Gadget", msgdef="uint8 value\n", rihs01="RIHS01_00"
    )
    writer.write(connection, SECOND, b"\0\1\0\0\x2a")
    writer.close()
    with BagReader(tmp_path / "bag") as bag:
        [(topic, _, msg)] = bag.messages()
    assert (topic, msg.value) == ("/gadget", 42)


def test_a_missing_topic_is_refused_with_those_that_there_are(drive):
    with BagReader(drive) as bag, pytest.raises(BagError, match=r"no topic /imu.*/odom, /scan"):
        list(bag.messages(["/imu"]))


def test_bytes_that_do_not_fit_their_type_are_named(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/scan", "sensor_msgs/msg/LaserScan", SECOND, b"\0\1\0\0short")
    with (
        BagReader(tmp_path / "bag") as bag,
        pytest.raises(BagError, match="a message on /scan does not fit"),
    ):
        list(bag.messages())


def test_a_path_that_is_no_bag_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FileNotFoundError, match="no such bag"):
        BagReader(tmp_path / "nothing")
    with pytest.raises(BagError, match=r"holds no file \*.mcap or \*.db3"):
        BagReader(tmp_path)
    with pytest.raises(BagError, match=r"notes\.txt is not a bag"):
        BagReader(tmp_path / "notes.txt")


def test_parts_of_a_bag_without_metadata_are_read_in_order(drive):
    shutil.copy(drive / "drive.mcap", drive / "drive_1.mcap")
    (drive / "metadata.yaml").unlink()
    with BagReader(drive) as bag:
        assert counts(bag) == {"/odom": 6, "/scan": 10}


def test_what_a_killed_run_left_is_named(tmp_path, drive):
    (tmp_path / "runs").mkdir()
    for folder in (tmp_path / "runs", drive):
        (folder / "checkpoint.pt.77.partial").write_bytes(bytes(200_000))
    with pytest.raises(BagError, match=r"runs is not a bag.*\.pt\.77\.partial \(0\.2 MB\)"):
        BagReader(tmp_path / "runs")
    with BagReader(drive) as bag:
        assert "checkpoint.pt.77.partial (0.2 MB) was left by a run that was" in bag.warnings[0]
