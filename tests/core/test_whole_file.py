"""Files are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from conegrad_core.whole_file import left_by_killed, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path):
    path = tmp_path / "weights"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_with_the_file_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "weights"
    write_whole(path, b"first")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"No space left on device: '{path}'"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_was_writing_is_found(tmp_path: Path):
    (tmp_path / "checkpoint.pt.77.partial").write_bytes(b"half")
    write_whole(tmp_path / "checkpoint.pt", b"whole")
    assert left_by_killed(tmp_path) == [tmp_path / "checkpoint.pt.77.partial"]
