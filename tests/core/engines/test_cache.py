"""The cache of exported networks: whole files alone, of this user alone, and never in the way."""

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.camera.head import build_network
from conegrad_core.engines import cache
from conegrad_core.engines.cache import Export, open_export, private_folder
from conegrad_core.engines.errors import EngineError
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.processes.worker_process import forking, start_forked

CONTENT = b"graph" * 100


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache."""
    monkeypatch.setenv("CONEGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Exporter:
    """Counts its exports; the file is readable if it holds what was written."""

    def __init__(self) -> None:
        self.written: list[Path] = []

    def export(self, key: str = "k") -> Export:
        return Export("net.xml", key, self.write)

    def write(self, path: Path) -> None:
        self.written.append(path)
        path.write_bytes(CONTENT)
        path.with_suffix(".bin").write_bytes(CONTENT[::-1])


def read(path: Path) -> bytes:
    if path.read_bytes() != CONTENT:
        raise ValueError(f"{path} is not readable")
    return CONTENT


def entry(folder: Path) -> Path:
    (found,) = folder.rglob("net.xml")
    return found.parent


def test_an_export_is_made_once_and_the_folder_is_private(folder: Path):
    exporter = Exporter()
    for _ in range(3):
        assert open_export(exporter.export(), read) == CONTENT
    assert len(exporter.written) == 1
    assert entry(folder).parent.stat().st_mode & 0o777 == 0o700
    assert not list(folder.rglob(".export-*"))


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda home: zeroed(home / "net.xml"), id="zeroed bytes"),
        pytest.param(lambda home: zeroed(home / "net.bin"), id="zeroed bytes of the other file"),
        pytest.param(lambda home: (home / "net.xml").write_bytes(b""), id="empty"),
        pytest.param(lambda home: (home / "net.bin").unlink(), id="a file is gone"),
        pytest.param(lambda home: (home / "digests.json").unlink(), id="no digests"),
        pytest.param(lambda home: (home / "digests.json").write_text("[1"), id="half digests"),
        pytest.param(lambda home: (home / "digests.json").write_text("[1]"), id="other digests"),
        pytest.param(lambda home: zeroed(home / "digests.json"), id="zeroed digests"),
    ],
)
def test_a_damaged_export_is_made_anew(
    folder: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
):
    exporter = Exporter()
    open_export(exporter.export(), read)
    damage(entry(folder))
    for _ in range(2):
        assert open_export(exporter.export(), read) == CONTENT
    assert len(exporter.written) == 2
    assert "does not match its digests: exporting it anew" in caplog.text


def test_an_export_of_something_else_is_not_taken_for_this_one(folder: Path):
    exporter = Exporter()
    open_export(exporter.export("a"), read)
    open_export(exporter.export("b"), read)
    first, second = sorted(path.parent for path in folder.rglob("net.xml"))
    (second / "digests.json").write_bytes((first / "digests.json").read_bytes())
    open_export(exporter.export("a"), read)
    open_export(exporter.export("b"), read)
    assert len(exporter.written) == 3


def test_an_export_that_cannot_be_opened_is_made_anew():
    exporter, opened = Exporter(), []

    def open_second(path: Path) -> bytes:
        opened.append(path)
        if len(opened) == 2:
            raise RuntimeError("of another version")
        return read(path)

    for _ in range(2):
        assert open_export(exporter.export(), open_second) == CONTENT
    assert len(exporter.written) == 2


def test_a_setting_that_an_engine_refuses_is_no_fault_of_the_cache():
    exporter = Exporter()

    def refuse(path: Path) -> bytes:
        raise EngineError("device is 'tpu'")

    with pytest.raises(EngineError, match="tpu"):
        open_export(exporter.export(), refuse)
    assert len(exporter.written) == 1


def test_a_folder_that_others_could_write_to_is_closed_and_emptied(folder: Path):
    exporter = Exporter()
    open_export(exporter.export(), read)
    entry(folder).parent.chmod(0o777)
    assert open_export(exporter.export(), read) == CONTENT
    assert len(exporter.written) == 2
    assert entry(folder).parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    folder.mkdir()
    (folder / f"engines-{os.geteuid() + 1}").mkdir()
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    exporter = Exporter()
    assert open_export(exporter.export(), read) == CONTENT
    assert "is not a folder of this user): net.xml is exported for this process" in caplog.text
    assert not list(folder.rglob("net.xml"))


def test_without_a_cache_the_export_is_for_this_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONEGRAD_CACHE", str(tmp_path / "file" / "cache"))
    assert open_export(Exporter().export(), read) == CONTENT
    assert "cannot be used" in caplog.text


def test_a_full_disk_costs_a_warning(folder: Path, caplog: pytest.LogCaptureFixture):
    exporter = Exporter()

    def write(path: Path) -> None:
        if folder in path.parents:
            path.write_bytes(CONTENT[:10])
            raise OSError(28, "No space left on device")
        exporter.write(path)

    assert open_export(Export("net.xml", "k", write), read) == CONTENT
    assert "No space left on device" in caplog.text
    assert not list(folder.rglob("*.xml"))


def test_where_nothing_can_be_written_the_reason_is_told():
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(EngineError, match=r"exported nowhere \(.*No space left.*engine 'torch'"):
        open_export(Export("net.xml", "k", full), read)


def test_what_killed_writers_left_is_removed_and_what_others_write_is_not(folder: Path):
    for name, age in (("left", 2 * cache.LEFT_AFTER), ("new", 0.0)):
        path = private_folder() / f"{cache.SCRATCH}{name}"
        (path / "export").mkdir(parents=True)
        os.utime(path, (time.time() - age,) * 2)
    open_export(Exporter().export(), read)
    assert [path.name for path in private_folder().glob(f"{cache.SCRATCH}*")] == [".export-new"]


def test_processes_that_export_at_once_all_get_a_whole_one(folder: Path):
    open_export(Exporter().export(), read)
    zeroed(entry(folder) / "net.bin")
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)

    def write(path: Path) -> None:
        with path.open("wb") as file:
            for place in range(0, len(CONTENT), 50):
                file.write(CONTENT[place : place + 50])
                time.sleep(0.001)

    def export() -> None:
        start_forked()
        barrier.wait(60)
        open_export(Export("net.xml", "k", write), read)

    writers = [context.Process(target=export) for _ in range(4)]
    with forking():
        for writer in writers:
            writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert entry(folder).joinpath("net.xml").read_bytes() == CONTENT
    assert not list(folder.rglob(".export-*"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(build_network("yolov5n"), path, architecture="yolov5n", input_size=(64, 64))
    return path


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_zeroed_bytes_do_not_change_what_a_detector_gives(folder: Path, weights: Path, engine: str):
    config = DetectorConfig(weights=str(weights), engine=engine, input_width=64, input_height=64)
    image = torch.full((64, 64, 3), 80, dtype=torch.uint8).numpy()
    expected = load_detector(config).engine.infer([image])
    for file in folder.rglob("detector.*"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        file.write_bytes(content)
    found = load_detector(config).engine.infer([image])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_zeroed_bytes_do_not_change_what_a_segmenter_gives(folder: Path, engine: str):
    config = SegmenterConfig(engine=engine)
    scan = Scan(torch.linspace(2.0, 9.0, 200), torch.linspace(-1.0, 1.0, 200))
    expected = load_segmenter(config)([scan])[0].logits
    for file in folder.rglob("*.onnx"):
        content = bytearray(file.read_bytes())
        content[-20000:-10000] = bytes(10000)
        file.write_bytes(content)
    segmenter = load_segmenter(replace(config))
    for file in folder.rglob("*.onnx"):  # what is loaded does not hang on the file any more
        file.write_bytes(b"")
    assert torch.equal(segmenter([scan])[0].logits, expected)


def test_other_weights_have_another_export(folder: Path):
    keys = {
        cache.describe_export(net, lambda path: None, "n", key="1", packages=["torch"]).key
        for net in (nn.Linear(2, 2), nn.Linear(2, 2))
    }
    assert len(keys) == 2
