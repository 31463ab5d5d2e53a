import multiprocessing
import os
import signal
import time

import pytest

from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.system_record.archive import pack
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import verify, write_manifest
from conegrad_core.system_record.reference import load_referenced, resolve
from conegrad_core.system_record.store import SystemStore


def small_record(folder, text):
    """A record as far as a store can tell."""
    folder.mkdir(parents=True)
    (folder / "system.json").write_text(text)
    return write_manifest(folder).id


@pytest.fixture
def three(store, tmp_path):
    """A store with three versions of the system car."""
    for number in (1, 2, 3):
        small_record(tmp_path / str(number), str(number))
        assert store.add(tmp_path / str(number), "car").number == number
    return store


def test_versions_count_up_and_a_record_has_one(three, tmp_path):
    assert [v.reference for v in three.versions("car")] == ["car/1", "car/2", "car/3"]
    assert three.add(tmp_path / "2", "car").number == 2
    assert three.add(tmp_path / "2", "truck").number == 1
    assert three.names() == ["car", "truck"]


def test_an_alias_moves_and_goes_back(three):
    three.set_alias("car", "champion", 1)
    three.set_alias("car", "champion", 3)
    three.set_alias("car", "champion", 3)
    assert three.aliased("car", "champion").number == 3
    assert three.roll_back("car", "champion").number == 1
    assert SystemStore(three.folder).aliases("car") == {"champion": 1}
    with pytest.raises(RecordError, match="car@champion was at no earlier version"):
        three.roll_back("car", "champion")


def test_the_latest_version_needs_no_alias(three):
    assert three.aliased("car", "latest").number == 3


def test_a_number_of_the_registry_is_that_of_its_record(three, tmp_path, caplog):
    three.set_alias("car", "champion", 2)
    small_record(tmp_path / "7", "7")
    assert three.add(tmp_path / "7", "car", 7).is_registered
    assert three.add(tmp_path / "3", "car", 3).is_registered
    assert caplog.text == ""
    moved = three.version("car", 2).id
    three.add(tmp_path / "7", "car", 2)
    assert "car/2 is now car/8: the registry gave the number 2 to the record" in caplog.text
    assert [v.number for v in three.versions("car")] == [1, 2, 3, 8]
    assert three.aliased("car", "champion").id == moved


@pytest.mark.parametrize("alias", ["latest", "v1", "12", "Champion", "a b", ""])
def test_words_that_read_as_something_else_are_no_aliases(three, alias):
    with pytest.raises(RecordError, match="expected a lower-case word"):
        three.set_alias("car", alias, 1)


def test_a_record_is_found_by_every_reference(record, store, tmp_path):
    store.add(record.folder, "car")
    store.set_alias("car", "champion", 1)
    pack(record.folder, tmp_path / "car.zip")
    references = ["car@champion", "car@latest", "car/1", record.id]
    paths = [record.folder, record.folder.parent, tmp_path / "car.zip"]
    assert {resolve(reference).id for reference in [*references, *paths]} == {record.id}
    assert load_pipeline("car@champion").stage("fuser").config.rounds == 5
    assert load_referenced("car/1", {"fuser": {"rounds": 6}}).configs["fuser"].rounds == 6


def test_names_of_pipelines_are_no_references(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "camera_lidar").mkdir()  # the output of some training
    assert resolve("camera_lidar") is None
    assert resolve("some/file.yaml") is None


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("car@champion", r"car has no alias 'champion' in .*systems-\w+, it has latest"),
        ("car/9", r"car has no version 9 in .*systems-\w+, it has 1, 2, 3"),
        ("cra/1", r"system 'cra' is unknown, did you mean car\?"),
        ("0123456789ab", "holds no record 0123456789ab"),
    ],
)
def test_what_is_not_there_is_named(three, reference, message):
    with pytest.raises(RecordError, match=message):
        resolve(reference)


def test_a_changed_record_of_the_store_is_refused_by_name(three):
    folder = three.record_folder(three.version("car", 1).id)
    (folder / "system.json").write_text("9")
    with pytest.raises(RecordError, match=r"system.json differs"):
        resolve("car/1")
    write_manifest(folder)
    with pytest.raises(RecordError, match=r"manifest.json was changed: its id is"):
        resolve("car/1")


def _add(folder, first, count):
    store = SystemStore(folder / "store")
    for number in range(first, first + count):
        small_record(folder / str(number), str(number))
        store.add(folder / str(number), "car")
        store.set_alias("car", "candidate", 1)


def test_two_writers_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_add, args=(tmp_path, n, 15)) for n in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    store = SystemStore(tmp_path / "store")
    assert len({v.id for v in store.versions("car")}) == 30
    assert [v.number for v in store.versions("car")] == list(range(1, 31))


def test_a_writer_that_is_killed_leaves_no_half_record(tmp_path):
    context = multiprocessing.get_context("fork")
    store, before = SystemStore(tmp_path / "store"), 0
    for trial in range(5):
        writer = context.Process(target=_add, args=(tmp_path, 1000 * trial, 1000))
        writer.start()
        deadline = time.monotonic() + 30
        while count_of(store) <= before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(0.003 * trial)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(10)
        for version in store.versions("car"):
            verify(store.record_folder(version.id), version.id)
        assert count_of(store) > before
        before = count_of(store)
    small_record(tmp_path / "last", "last")
    store.add(tmp_path / "last", "car")
    assert list(store.folder.glob("records/.*")) == []


def count_of(store):
    return len(store.versions("car")) if store.names() else 0
