"""A small recorded system: the LiDAR alone, whose weights are 0.3 MB."""

from pathlib import Path

import pytest

from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.file import read_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.description import Bag, Description
from conegrad_core.system_record.record import SystemRecord, write_record
from conegrad_core.system_record.store import SystemStore
from conegrad_core.vehicle import load_vehicle

LIDAR_ALONE = """
inputs: {scan: Scan}
stages:
  segmenter: {module: scan_cnn, inputs: {scan: scan}, outputs: {segmentation: segmentation}}
  fuser:
    module: cone_fusion
    inputs: {segmentation: segmentation}
    outputs: {cones: cones}
    settings: {rounds: 5}
outputs: {cones: cones}
"""


def lidar_alone() -> Pipeline:
    specification = read_specification(LIDAR_ALONE, "lidar_alone.yaml")
    return build_pipeline(specification, trainable=True)


def described(name: str = "car", **values) -> Description:
    return Description(
        name,
        seeds=(3,),
        bags=(Bag("drive", "a" * 64),),
        metrics={"system": {"f1_colour": 0.9}, "segmenter": {"beam_f1": 0.8}},
        settings={"run": {"steps": 7, "rate": 1e-5}},
        **values,
    )


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return lidar_alone()


@pytest.fixture
def record(tmp_path: Path, pipeline: Pipeline) -> SystemRecord:
    calibration = load_vehicle("formula_student").calibration()
    return write_record(tmp_path / "run" / "system", pipeline, described(), calibration)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SystemStore:
    monkeypatch.setenv("CONEGRAD_SYSTEMS", str(tmp_path / "store"))
    return SystemStore()
