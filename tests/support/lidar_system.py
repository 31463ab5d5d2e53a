"""A small system to record: the LiDAR alone, whose weights have 0.3 MB."""

import math
from pathlib import Path

import torch

from conegrad_core.cones import Cones
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.file import read_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.description import Bag, Description
from conegrad_core.system_record.record import SystemRecord, write_record
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
    """The pipeline, trainable."""
    specification = read_specification(LIDAR_ALONE, "lidar_alone.yaml")
    return build_pipeline(specification, trainable=True)


def described(name: str = "car", **values) -> Description:
    """What its record says."""
    given = {
        "seeds": (3,),
        "bags": (Bag("drive", "a" * 64),),
        "metrics": {"system": {"f1_colour": 0.9}, "segmenter": {"beam_f1": 0.8}},
        "settings": {"run": {"steps": 7, "rate": 1e-5}},
    }
    return Description(name, **{**given, **values})


def recorded(folder: Path, pipeline: Pipeline, **values) -> SystemRecord:
    """Its record in a folder."""
    calibration = load_vehicle("formula_student").calibration()
    return write_record(folder, pipeline, described(**values), calibration)


def cones_of(pipeline: Pipeline) -> Cones:
    """All candidates of a scan of two cones."""
    ranges = torch.full((181,), math.inf)
    ranges[60:64], ranges[120:123] = 4.0, 7.0
    scan = Scan(ranges, torch.linspace(-math.pi / 2, math.pi / 2, 181))
    with torch.no_grad():
        cones: Cones = pipeline({"scan": [scan]})["cones"][0]
    return cones


def assert_identical(first: Cones, second: Cones) -> None:
    """Every bit of two sets of candidates is equal, and there are two of them."""
    assert len(first.positions) == 2
    for one, other in zip(first, second, strict=True):
        assert one is other or torch.equal(one, other)
