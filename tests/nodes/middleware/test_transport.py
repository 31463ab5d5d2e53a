"""Room for large messages."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from conegrad_nodes.middleware import transport
from conegrad_nodes.middleware.transport import VARIABLES, large_messages, users_fault


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


def test_transports_that_the_user_chose_stay_in_force(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FASTDDS_BUILTIN_TRANSPORTS", "LARGE_DATA")
    with large_messages(tmp_path):
        assert not any(name in os.environ for name in VARIABLES)


SHM = "<type>SHM</type><segment_size>{}</segment_size>"
DESCRIPTOR = "<transport_descriptors><transport_descriptor>{}</transport_descriptor>{}"
PROFILE = "<dds><profiles>" + DESCRIPTOR + "</transport_descriptors></profiles></dds>"
NO_BUILTIN = "<useBuiltinTransports>false</useBuiltinTransports>"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(PROFILE.format(SHM.format(2**26), NO_BUILTIN), "", id="large"),
        pytest.param(PROFILE.format("<type>UDPv4</type>", NO_BUILTIN), "", id="no shared memory"),
        pytest.param(PROFILE.format(SHM.format(2**20), NO_BUILTIN), "1048576 bytes", id="small"),
        pytest.param(PROFILE.format("<type>UDPv4</type>", ""), "524288 bytes", id="as by default"),
        pytest.param("<dds><profiles>", "cannot be read", id="broken"),
        pytest.param(None, "cannot be read", id="not there"),
    ],
)
def test_a_profile_of_the_user_that_is_too_small_for_images_is_told(
    text, fault, tmp_path, monkeypatch, caplog
):
    path = tmp_path / "mine.xml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv(VARIABLES[1], str(path))
    assert fault in users_fault()
    assert bool(users_fault()) == bool(fault)
    with large_messages(tmp_path):
        assert os.environ[VARIABLES[1]] == str(path)
    assert fault in caplog.text


def test_a_machine_with_little_shared_memory_is_left_as_it_is_and_that_is_told(
    tmp_path, monkeypatch, caplog
):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "SEGMENT_SIZE", 2**60)
    with large_messages(tmp_path):
        assert not any(name in os.environ for name in VARIABLES)
    assert "docker run --shm-size" in caplog.text


def test_the_profile_of_the_repository_is_large_enough(monkeypatch):
    monkeypatch.setenv(VARIABLES[1], str(DOCS / "config" / "fastdds_large_messages.xml"))
    assert users_fault() == ""


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
