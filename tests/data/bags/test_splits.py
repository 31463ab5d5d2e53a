"""A bag of several files is read whole and in order; what differs from its metadata is told."""

import shutil

import pytest
import yaml
import zstandard

from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter

SECOND = 1_000_000_000


def write_splits(folder, drive, count, *, sqlite=False, names="drive_{}"):
    """Files of one second each, with the three odometry messages and the scans of the drive."""
    folder.mkdir()
    with BagReader(drive) as bag:
        messages = list(bag.raw_messages())
    suffix = ".db3" if sqlite else ".mcap"
    for index in range(count):
        with BagWriter(folder.parent / "part", sqlite=sqlite) as part:
            for raw in messages:
                part.write(raw.topic, raw.msgtype, raw.receive_ns + index * SECOND, raw.data)
        name = names.format(index) + suffix
        shutil.move(folder.parent / "part" / f"part{suffix}", folder / name)
        shutil.rmtree(folder.parent / "part")
    return folder


def declare(folder, files, **changed):
    """A metadata.yaml for split files that hold 3 odometry messages and 5 scans each."""
    topics = {"/odom": ("nav_msgs/msg/Odometry", 3), "/scan": ("sensor_msgs/msg/LaserScan", 5)}
    information = {
        "version": 9,
        "storage_identifier": "mcap",
        "relative_file_paths": files,
        "duration": {"nanoseconds": (len(files) - 1) * SECOND + 400_000_000},
        "starting_time": {"nanoseconds_since_epoch": 100_005_000_000},
        "message_count": 8 * len(files),
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": name,
                    "type": msgtype,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": [],
                },
                "message_count": count * len(files),
            }
            for name, (msgtype, count) in topics.items()
        ],
        "files": [{"path": name, "message_count": 8} for name in files],
        **changed,
    }
    text = yaml.safe_dump({"rosbag2_bagfile_information": information})
    (folder / "metadata.yaml").write_text(text)


def times(bag):
    return [raw.receive_ns for raw in bag.raw_messages()]


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_splits_are_read_in_the_order_of_time_not_of_names(tmp_path, drive, sqlite):
    folder = write_splits(tmp_path / "bag", drive, 12, sqlite=sqlite)
    with BagReader(folder) as bag:
        assert times(bag) == sorted(times(bag))
        assert len(times(bag)) == 12 * 8
        assert bag.warnings == []


def test_files_that_overlap_in_time_are_merged(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 1, names="first")
    shutil.copy(folder / "first.mcap", folder / "second.mcap")
    with BagReader(folder) as bag:
        assert times(bag) == sorted(times(bag))
        assert len(times(bag)) == 16


def test_a_listed_split_that_is_missing_is_told_with_its_messages(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 3)
    declare(folder, [f"drive_{index}.mcap" for index in range(3)])
    (folder / "drive_1.mcap").unlink()
    with BagReader(folder) as bag:
        assert len(times(bag)) == 16
        assert "drive_1.mcap is listed in metadata.yaml and missing: its 8 mes" in bag.warnings[0]
        assert any("declares 9 messages on /odom, 6 are read" in w for w in bag.warnings)


def test_a_split_that_is_not_listed_is_read_and_told(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 3)
    declare(folder, ["drive_0.mcap", "drive_1.mcap"])
    with BagReader(folder) as bag:
        assert len(times(bag)) == 24
        assert "drive_2.mcap is not listed in metadata.yaml; it is read, too" in bag.warnings[0]


def test_a_file_that_repeats_a_listed_one_is_left_out_and_told(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 1)
    declare(folder, ["drive_0.mcap"])
    shutil.copy(folder / "drive_0.mcap", folder / "copy.mcap")
    with BagReader(folder) as bag:
        assert len(times(bag)) == 8
        assert "copy.mcap is not listed in metadata.yaml and left out" in bag.warnings[0]


def test_a_file_of_other_topics_at_the_same_time_is_read(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 1)
    declare(folder, ["drive_0.mcap"])
    with BagReader(drive) as source, BagWriter(tmp_path / "imu") as bag:
        for raw in source.raw_messages(["/odom"]):
            bag.write("/odom_of_imu", raw.msgtype, raw.receive_ns, raw.data)
    shutil.move(tmp_path / "imu" / "imu.mcap", folder / "imu.mcap")
    with BagReader(folder) as bag:
        assert len(times(bag)) == 11
        assert times(bag) == sorted(times(bag))
        assert "imu.mcap is not listed in metadata.yaml; it is read, too" in bag.warnings[0]


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_a_last_split_that_is_cut_leaves_the_others(tmp_path, drive, sqlite):
    folder = write_splits(tmp_path / "bag", drive, 3, sqlite=sqlite)
    last = folder / f"drive_2.{'db3' if sqlite else 'mcap'}"
    last.write_bytes(last.read_bytes()[:60])
    with BagReader(folder) as bag:
        assert len(times(bag)) == 16
        assert last.name in bag.warnings[0]


def test_a_damaged_split_of_a_declared_bag_leaves_the_others(tmp_path, drive):
    folder = write_splits(tmp_path / "bag", drive, 2)
    declare(folder, ["drive_0.mcap", "drive_1.mcap"])
    (folder / "drive_1.mcap").write_bytes(b"")
    with BagReader(folder) as bag:
        assert len(times(bag)) == 8
        assert any("drive_1.mcap: no message can be read" in w for w in bag.warnings)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"duration": {"nanoseconds": 90 * SECOND}}, "declares 90.0 s, 0.4 s are read"),
        ({"topics_with_message_count": []}, "does not declare /odom, 3 messages of it are read"),
    ],
)
def test_what_metadata_declares_otherwise_is_told(tmp_path, drive, changed, told):
    folder = write_splits(tmp_path / "bag", drive, 1)
    declare(folder, ["drive_0.mcap"], **changed)
    with BagReader(folder) as bag:
        assert len(times(bag)) == 8
        assert any(told in warning for warning in bag.warnings)


@pytest.mark.parametrize("text", ["", "rosbag2_bagfile_information: {", "a: 1", "- 1", "\x00"])
def test_metadata_that_is_damaged_is_told_and_the_files_are_read(drive, text):
    (drive / "metadata.yaml").write_text(text)
    with BagReader(drive) as bag:
        assert len(times(bag)) == 8
        assert "metadata.yaml" in bag.warnings[0]
        assert "\n" not in bag.warnings[0]


def test_qos_of_metadata_that_differs_loses_no_message(drive):
    declared = yaml.safe_load((drive / "metadata.yaml").read_text())
    topics = declared["rosbag2_bagfile_information"]["topics_with_message_count"]
    forever = {"sec": 9223372036, "nsec": 854775807}
    topics[0]["topic_metadata"]["offered_qos_profiles"] = [
        {
            "history": "keep_last",
            "depth": 1,
            "reliability": "reliable",
            "durability": "transient_local",
            "deadline": forever,
            "lifespan": forever,
            "liveliness": "automatic",
            "liveliness_lease_duration": forever,
            "avoid_ros_namespace_conventions": False,
        }
    ]
    (drive / "metadata.yaml").write_text(yaml.safe_dump(declared))
    with BagReader(drive) as bag:
        assert len(times(bag)) == 8
        assert bag.warnings == []
        [profile] = bag.qos[topics[0]["topic_metadata"]["name"]]
        assert profile.durability.name == "TRANSIENT_LOCAL"


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
@pytest.mark.parametrize("name", ["a#b", "a?b=c", "100%41", "with spaces", "ümlaut"])
def test_any_path_is_read(tmp_path, record_drive, sqlite, name):
    record_drive(tmp_path / "plain", sqlite=sqlite)
    (tmp_path / "plain").rename(tmp_path / name)
    (tmp_path / name / "metadata.yaml").unlink()
    with BagReader(tmp_path / name) as bag:
        assert len(times(bag)) == 8


@pytest.mark.parametrize("sqlite", [False, True], ids=["mcap", "sqlite3"])
def test_files_that_rosbag2_compressed_are_read(drive, tmp_path, sqlite):
    folder = write_splits(tmp_path / "bag", drive, 2, sqlite=sqlite)
    for file in list(folder.iterdir()):
        packed = zstandard.ZstdCompressor().compress(file.read_bytes())
        file.with_name(f"{file.name}.zstd").write_bytes(packed)
        file.unlink()
    with BagReader(folder) as bag:
        assert len(times(bag)) == 16
        assert bag.warnings == []


def test_a_compressed_file_that_is_cut_is_read_up_to_the_cut(drive, tmp_path):
    folder = write_splits(tmp_path / "bag", drive, 1)
    file = folder / "drive_0.mcap"
    packed = zstandard.ZstdCompressor().compress(file.read_bytes())
    (folder / "drive_0.mcap.zstd").write_bytes(packed[: len(packed) // 2])
    file.unlink()
    with pytest.raises(ValueError, match=r"bag/drive_0\.mcap\.zstd: no message can be read"):
        BagReader(folder)


def test_messages_that_rosbag2_compressed_are_read(drive, tmp_path):
    packer = zstandard.ZstdCompressor()
    with BagReader(drive) as source, BagWriter(tmp_path / "packed") as bag:
        for raw in source.raw_messages():
            bag.write(raw.topic, raw.msgtype, raw.receive_ns, packer.compress(raw.data))
        whole = list(source.messages())
    with BagReader(tmp_path / "packed") as bag:
        assert [(topic, ns) for topic, ns, _ in bag.messages()] == [(t, ns) for t, ns, _ in whole]


def test_a_topic_of_two_types_is_read_by_the_one_with_more_messages(drive, tmp_path):
    folder = write_splits(tmp_path / "bag", drive, 1)
    with BagReader(drive) as source, BagWriter(tmp_path / "other") as bag:
        odometry = next(raw for raw in source.raw_messages(["/odom"]))
        bag.write("/scan", odometry.msgtype, 101 * SECOND, odometry.data)
    shutil.move(tmp_path / "other" / "other.mcap", folder / "a_first.mcap")
    with BagReader(folder) as bag:
        assert bag.topics["/scan"].msgtype == "sensor_msgs/msg/LaserScan"
        assert len(list(bag.messages(["/scan"]))) == 5
        assert "nav_msgs/msg/Odometry (1 messages)" in bag.warnings[0]
