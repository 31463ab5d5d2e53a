"""A SQLite file is read with what its recorder had not put into it, and is left as it is."""

import shutil
import sqlite3

import pytest

from conegrad_data.bags.reader import BagReader


@pytest.fixture
def database(tmp_path, record_drive):
    record_drive(tmp_path / "source", sqlite=True)
    return tmp_path / "source" / "source.db3"


def cut_power(database, folder, mode):
    """The recording as it lies on the disk when half of it is in the log of the database."""
    folder.mkdir()
    recorder = sqlite3.connect(database)
    recorder.execute(f"PRAGMA journal_mode = {mode}")
    recorder.execute("PRAGMA wal_autocheckpoint = 0")
    rows = recorder.execute("SELECT topic_id, timestamp, data FROM messages").fetchall()
    recorder.execute("DELETE FROM messages WHERE timestamp > 100250000000")
    recorder.commit()
    recorder.execute("PRAGMA wal_checkpoint(truncate)")
    late = [row for row in rows if row[1] > 100_250_000_000]
    recorder.executemany("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", late)
    if mode == "WAL":
        recorder.commit()
    else:
        recorder.execute("PRAGMA cache_spill = 1")
    for file in database.parent.glob(f"{database.name}*"):
        shutil.copy(file, folder / file.name)
    recorder.close()
    return folder


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_write_ahead_log_of_a_power_cut_is_read_and_nothing_is_written(tmp_path, database):
    folder = cut_power(database, tmp_path / "cut", "WAL")
    (folder / f"{database.name}-shm").unlink()
    before = contents(folder)
    assert f"{database.name}-wal" in before
    with BagReader(folder) as bag:
        assert len(list(bag.messages())) == 8
        assert contents(folder) == before
    assert contents(folder) == before


def test_an_unfinished_change_is_undone_in_a_copy(tmp_path, database):
    folder = cut_power(database, tmp_path / "cut", "DELETE")
    before = contents(folder)
    assert f"{database.name}-journal" in before
    with BagReader(folder) as bag:
        assert len(list(bag.messages())) == 6
    assert contents(folder) == before


def test_a_log_whose_database_is_empty_is_not_removed(tmp_path, database):
    folder = cut_power(database, tmp_path / "cut", "WAL")
    (folder / database.name).write_bytes(b"")
    before = contents(folder)
    with pytest.raises(ValueError, match=r"source\.db3: no message can be read \(it is empty; its"):
        BagReader(folder)
    assert contents(folder) == before


def test_a_cut_database_is_read_up_to_the_cut(tmp_path, database):
    recorder = sqlite3.connect(database)
    for index in range(200):
        row = (1, 101_000_000_000 + index, b"\0\1\0\0" + bytes(3000))
        recorder.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", row)
    recorder.commit()
    recorder.close()
    whole = database.read_bytes()
    cut = tmp_path / "cut.db3"
    cut.write_bytes(whole[: len(whole) // 2])
    with BagReader(cut) as bag:
        read = list(bag.raw_messages())
        assert 50 < len(read) < 150
        assert "cut.db3: damaged or cut short" in bag.warnings[0]


def test_messages_in_another_order_come_in_that_of_time(database):
    recorder = sqlite3.connect(database)
    recorder.execute("UPDATE messages SET timestamp = 300000000000 - timestamp")
    recorder.commit()
    recorder.close()
    with BagReader(database) as bag:
        times = [raw.receive_ns for raw in bag.raw_messages()]
    assert times == sorted(times)
    assert len(times) == 8


def test_a_link_to_a_file_is_read_with_the_log_of_the_file(tmp_path, database):
    folder = cut_power(database, tmp_path / "cut", "WAL")
    (tmp_path / "link.db3").symlink_to(folder / database.name)
    with BagReader(tmp_path / "link.db3") as bag:
        assert len(list(bag.messages())) == 8
