"""The cache holds bytes for several processes within a bound, and survives a kill."""

import multiprocessing
import os
import signal
import time

import diskcache

from conegrad_evaluation.cross.port_cache import PortCache


def write_until_killed(folder):
    cache = PortCache(folder)
    for number in range(10**6):
        cache.put(f"key {number}", bytes([number % 256]) * 40_000)


def test_what_is_put_is_there_for_others(tmp_path):
    PortCache(tmp_path).put("a", b"content")
    with PortCache(tmp_path) as other:
        assert other.get("a") == b"content"
        assert other.get("b") is None


def test_old_entries_go_when_the_bound_is_reached(tmp_path):
    with PortCache(tmp_path, gigabytes=0.001) as cache:
        for number in range(60):
            cache.put(f"key {number}", os.urandom(50_000))
        assert cache.size() < 1.2e6
        assert 5 < len(cache) < 25
        assert cache.get("key 0") is None
        assert cache.get("key 59") is not None


def test_an_entry_that_was_damaged_is_dropped_and_named(tmp_path, caplog):
    with PortCache(tmp_path) as cache:
        cache.put("a", bytes(50_000))
        (file,) = tmp_path.rglob("*.val")
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        assert cache.get("a") is None
        assert len(cache) == 0
    assert "entry a is dropped: it is damaged" in caplog.text


def test_a_pickle_in_the_folder_is_not_loaded(tmp_path, caplog):
    with diskcache.Cache(str(tmp_path)) as foreign:
        foreign["a"] = {"not": "bytes"}
    with PortCache(tmp_path) as cache:
        assert cache.get("a") is None
    assert "holds a pickle, expected bytes" in caplog.text


def test_a_writer_that_is_killed_leaves_whole_entries(tmp_path):
    writer = multiprocessing.get_context("fork").Process(
        target=write_until_killed, args=(tmp_path,)
    )
    with PortCache(tmp_path) as cache:
        writer.start()
        deadline = time.monotonic() + 20
        while len(cache) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        count = len(cache)
        assert count >= 20
        for number in range(count):
            assert cache.get(f"key {number}") == bytes([number % 256]) * 40_000
        cache.put("after", b"works")
        assert cache.get("after") == b"works"
