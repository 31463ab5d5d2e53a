"""Room for large messages."""

import os
import xml.etree.ElementTree as ElementTree

from conegrad_nodes.playback.transport import VARIABLES, large_messages


def test_the_profile_is_set_for_the_block_only(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with large_messages(tmp_path):
        paths = {os.environ[name] for name in VARIABLES}
        assert len(paths) == 1
        text = (tmp_path / "fastdds.xml").read_text()
    assert not any(name in os.environ for name in VARIABLES)
    # More than twenty raw images of 1280 x 720 x 3 bytes.
    sizes = [e.text for e in ElementTree.fromstring(text).iter() if e.tag.endswith("segment_size")]
    assert [int(size) > 20 * 1280 * 720 * 3 for size in sizes] == [True]


def test_the_profile_of_the_user_stays_in_force(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLES[0], "/etc/mine.xml")
    with large_messages(tmp_path):
        assert os.environ[VARIABLES[0]] == "/etc/mine.xml"
    assert not (tmp_path / "fastdds.xml").exists()
