from conegrad_data.bags.made_by import to_notes
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter
from conegrad_data.recording.info import inspect


def test_what_made_a_bag_survives_its_metadata(tmp_path):
    made_by = {"pipeline": "camera_lidar", "weights.segmenter": "scan_cnn.safetensors 0a1b"}
    with BagWriter(tmp_path / "bag", notes=to_notes(made_by) | {"car": "7"}) as writer:
        writer.write("/x", "std_msgs/msg/Empty", 1, bytes([0, 1, 0, 0, 0]))
    with BagReader(tmp_path / "bag") as bag:
        assert bag.notes["car"] == "7"
    assert inspect(str(tmp_path / "bag")).made_by == made_by


def test_a_bag_of_which_nothing_is_known_says_nothing(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/x", "std_msgs/msg/Empty", 1, bytes([0, 1, 0, 0, 0]))
    assert inspect(str(tmp_path / "bag")).made_by == {}
