"""Room for large messages."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

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


DOCS = Path(__file__).parents[3]
JOIN_A_GRAPH = "import rclpy; rclpy.init(); rclpy.create_node('reader'); rclpy.shutdown()"


@pytest.mark.ros
def test_fast_dds_reads_the_variable_that_the_documentation_names(domain, tmp_path):
    pytest.importorskip("rclpy")
    pages = [DOCS / name for name in ("README.md", "docs/bags.md")]
    named = {re.search(r"`(FAST\w+_DEFAULT_PROFILES_FILE)`", p.read_text()).group(1) for p in pages}
    assert len(named) == 1
    broken = tmp_path / "broken.xml"
    broken.write_text("<dds><profiles>")
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    said = subprocess.run(
        [sys.executable, "-c", JOIN_A_GRAPH], env=others | {named.pop(): str(broken)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert f"Error parsing '{broken}'" in said.stdout + said.stderr
