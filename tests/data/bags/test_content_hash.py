import shutil

import pytest

from conegrad_data.bags.content_hash import bag_hash
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter


@pytest.fixture
def bag(tmp_path):
    with BagWriter(tmp_path / "bag", notes={"made_by": "a test"}) as writer:
        writer.write("/text", "std_msgs/msg/String", 7, b"\x00\x01\x00\x00\x02\x00\x00\x00a\x00")
    return tmp_path / "bag"


def test_a_copy_under_another_name_has_the_same_hash(bag, tmp_path):
    shutil.copytree(bag, tmp_path / "copy")
    assert bag_hash(tmp_path / "copy") == bag_hash(bag)


def test_one_changed_byte_gives_another_hash(bag):
    before = bag_hash(bag)
    (file,) = bag.glob("*.mcap")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert bag_hash(bag) != before


def test_notes_are_kept_in_the_metadata(bag):
    assert "made_by: a test" in (bag / "metadata.yaml").read_text()


def test_a_folder_without_a_bag_is_refused(tmp_path):
    with pytest.raises(BagError, match="is not a bag"):
        bag_hash(tmp_path)
