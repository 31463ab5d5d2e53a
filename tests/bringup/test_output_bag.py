"""With --force an older bag is replaced by a new one, and by nothing less."""

import argparse
from pathlib import Path

import pytest

from conegrad_bringup.output_bag import output_bag
from conegrad_data.bags.writer import BagWriter


@pytest.fixture
def older(tmp_path):
    path = tmp_path / "drive"
    with BagWriter(path):
        pass
    (path / "older.mcap").touch()
    return path


def _forced(path: Path) -> argparse.Namespace:
    return argparse.Namespace(output=path, force=True)


def _is_older(path: Path) -> bool:
    alone = [entry.name for entry in path.parent.iterdir()] == [path.name]
    return alone and (path / "older.mcap").exists()


def test_a_new_bag_replaces_the_older_one(older):
    with output_bag(_forced(older)) as path, BagWriter(path):
        assert (older.with_name("drive.older") / "older.mcap").exists()
    assert not (older / "older.mcap").exists()
    assert [entry.name for entry in older.parent.iterdir()] == ["drive"]


def test_the_older_bag_comes_back_after_an_error(older):
    with pytest.raises(OSError, match="disk"), output_bag(_forced(older)) as path, BagWriter(path):
        raise OSError("disk")
    assert _is_older(older)


def test_the_older_bag_comes_back_where_nothing_was_begun(older):
    with pytest.raises(KeyboardInterrupt), output_bag(_forced(older)):
        raise KeyboardInterrupt
    assert _is_older(older)


def test_what_came_until_ctrl_c_replaces_the_older_bag(older):
    with pytest.raises(KeyboardInterrupt), output_bag(_forced(older)) as path, BagWriter(path):
        raise KeyboardInterrupt
    assert not (older / "older.mcap").exists()
    assert (older / "metadata.yaml").exists()


def test_what_a_killed_run_left_is_not_overwritten(older):
    older.with_name("drive.older").mkdir()
    with (
        pytest.raises(ValueError, match=r"drive\.older is left of a run that was killed"),
        output_bag(_forced(older)),
    ):
        pass


@pytest.mark.parametrize("words", [["--track", "nowhere.csv"], ["--world", "moon"]])
def test_a_mistyped_simulation_replaces_nothing(older, words, capsys):
    from conegrad_bringup.command_line import main

    assert main(["simulate", "-o", str(older), "--force", *words]) == 1
    assert words[1] in capsys.readouterr().err
    assert _is_older(older)


def test_a_bag_with_the_logs_of_its_database_is_replaced(older):
    for name in ("drive.db3-wal", "drive.db3-shm", "drive_0.mcap.zstd"):
        (older / name).touch()
    with output_bag(_forced(older)) as path, BagWriter(path):
        pass
    assert sorted(entry.name for entry in older.iterdir()) == ["drive.mcap", "metadata.yaml"]


def test_an_existing_bag_is_refused_with_the_option_that_replaces_it(older):
    kept = argparse.Namespace(output=older, force=False)
    with pytest.raises(ValueError, match=r"exists already, not overwriting: --force"):
        output_bag(kept).__enter__()
