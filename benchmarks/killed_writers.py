"""Kill writers of the store and of the registry of systems at random moments, and look at both.

    scripts/run.sh python benchmarks/killed_writers.py --kills 300
    scripts/run.sh python benchmarks/killed_writers.py --kills 60 --registry

Each writer records, logs and promotes systems one after the other; SIGKILL ends it after a random
time. After each kill every record that a version names is verified byte by byte, every alias names
a version, and an archive that was being written is whole or not there. At last a new writer has to
go on, and nothing is left of those that were killed.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.file import read_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.archive import pack, unpack
from conegrad_core.system_record.description import Description
from conegrad_core.system_record.manifest import MANIFEST, verify
from conegrad_core.system_record.record import write_record
from conegrad_core.system_record.store import RECORDS, SystemStore
from conegrad_training.tracking.catalogue import SystemCatalogue
from conegrad_training.tracking.tracking import TrackingConfig

LIDAR_ALONE = """
inputs: {scan: Scan}
stages:
  segmenter: {module: scan_cnn, inputs: {scan: scan}, outputs: {segmentation: segmentation}}
  fuser: {module: cone_fusion, inputs: {segmentation: segmentation}, outputs: {cones: cones}}
outputs: {cones: cones}
"""
NAME, LONGEST = "car", 0.5  # system; [s] of a writer of the store after its start
LONGEST_OF_REGISTRY = 4.0  # [s]


def main() -> None:
    """Kill, look, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--registry", action="store_true", help="with a local store of MLflow")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    specification = read_specification(LIDAR_ALONE, "lidar_alone.yaml")
    pipeline = build_pipeline(specification, trainable=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tracking = TrackingConfig(
            tracking=options.registry, tracking_uri=f"sqlite:///{folder / 'mlflow.db'}"
        )
        catalogue = SystemCatalogue(tracking, SystemStore(folder / "store"))
        if options.registry:  # MLflow and the tables of its store are loaded and made once
            catalogue.log(_record(folder / "first", pipeline, "first"))
        longest = LONGEST_OF_REGISTRY if options.registry else LONGEST
        random.seed(options.seed)
        started = time.monotonic()
        for kill in range(options.kills):
            _killed(_write, (folder, pipeline, catalogue, kill), random.uniform(0.0, longest))
            _look(folder, catalogue)
        catalogue.log(_record(folder / "last", pipeline, "last"))
        _look(folder, catalogue)
        left = list(catalogue.store.folder.rglob("*.partial"))
        versions = len(catalogue.store.versions(NAME))
        print(f"{options.kills} kills in {time.monotonic() - started:.0f} s: {versions} versions")
        print(f"every version verified, left of the killed: {len(left)} files and folders")
        if options.registry and catalogue.registry is not None:
            print(f"versions in the registry: {len(catalogue.registry.ids(NAME))}")


def _record(folder: Path, pipeline: Pipeline, note: str) -> Path:
    return write_record(folder, pipeline, Description(NAME, note=note)).folder


def _write(folder: Path, pipeline: Pipeline, catalogue: SystemCatalogue, kill: int) -> None:
    for number in range(1000):
        run = folder / f"run{kill % 3}"  # replaced again and again
        version = catalogue.log(_record(run, pipeline, f"{kill} {number}"))
        catalogue.set_alias(NAME, "candidate", version.number)
        pack(run, folder / "car.zip")


def _killed(action: Callable[..., None], arguments: tuple[Any, ...], seconds: float) -> None:
    writer = multiprocessing.get_context("fork").Process(target=action, args=arguments)
    writer.start()
    time.sleep(seconds)
    if writer.pid is not None:
        os.kill(writer.pid, signal.SIGKILL)
    writer.join()


def _look(folder: Path, catalogue: SystemCatalogue) -> None:
    """Everything that can be seen is whole."""
    store = catalogue.store
    for record in store.folder.glob(f"{RECORDS}/[!.]*"):
        verify(record, record.name)
    for run in folder.glob("run[0-9]"):
        if (run / MANIFEST).exists() or any(run.iterdir()):
            verify(run)
    for name in store.names():
        numbers = {version.number for version in store.versions(name)}
        assert numbers >= set(store.aliases(name).values()), store.aliases(name)
        for version in store.versions(name):
            assert store.record_folder(version.id) is not None, version
    if (folder / "car.zip").exists():
        with tempfile.TemporaryDirectory() as elsewhere:
            unpack(folder / "car.zip", Path(elsewhere) / "record")
    if catalogue.registry is not None:
        for number, record_id in catalogue.registry.ids(NAME).items():
            with catalogue.registry.fetched(NAME, number) as record:
                verify(record, record_id)


if __name__ == "__main__":
    main()
