"""Attribution of a fusion whose inputs are given: no network has to be loaded."""

import json
import math

import numpy as np
import pytest
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.file import read_specification
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.attribution.advice import NOTHING, findings, headline
from conegrad_evaluation.attribution.attribution import Attribution, AttributionConfig, attribute
from conegrad_evaluation.attribution.bag_attribution import AttributedDrive
from conegrad_evaluation.attribution.reference import read_reference
from conegrad_evaluation.attribution.report.attribution_report import write_attribution
from conegrad_evaluation.attribution.trace import FaultyCone, trace_cones
from conegrad_evaluation.disturbances.calibrations import displaced
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_truths.camera_truths import DetectionsTruth
from conegrad_evaluation.port_truths.lidar_truths import SegmentedScanTruth
from conegrad_evaluation.port_truths.scene import TrueScene
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import System

CAR = load_vehicle("formula_student")
CALIBRATION = CAR.calibration()
FUSION = """
inputs: {image: Image, detections: Detections, segmentation: SegmentedScan}
stages:
  fuser:
    module: cone_fusion
    inputs: {detections: detections, segmentation: segmentation}
    outputs: {cones: cones}
outputs: {cones: cones}
"""
EVALUATION = EvaluationConfig(max_range=20.0)


def sample(row: int, given) -> Sample:
    """Perfect inputs of eight cones, and a calibration that may be wrong."""
    generator = torch.Generator().manual_seed(row)
    x = torch.arange(3.0, 13.0, 2.5).repeat(2) + 0.5 * torch.rand(8, generator=generator)
    y = torch.tensor([1.7] * 4 + [-1.7] * 4) + 0.5 * torch.rand(8, generator=generator)
    seen = torch.ones(8, dtype=torch.bool)
    truth = TrueCones(torch.stack([x, y], -1), torch.tensor([0] * 4 + [1] * 4), seen, seen)
    scene, scan = TrueScene(truth, CALIBRATION), Scan(torch.full((1081,), math.nan), ANGLES)
    inputs = {
        "image": np.zeros((720, 1280, 3), dtype=np.uint8),
        "detections": DetectionsTruth().perfect(scene, {}, None, FrameContext()),
        "segmentation": SegmentedScanTruth().perfect(scene, {"Scan": scan}, None, FrameContext()),
    }
    return Sample(inputs, FrameContext(given), truth, SampleKey("hand-made", row, row))


ANGLES = CAR.lidar.angles()
SYSTEM = System(build_pipeline(read_specification(FUSION, "fusion.yaml")))


def attributed(given) -> tuple[Attribution, list[Sample]]:
    samples = [sample(row, given) for row in range(6)]
    config = AttributionConfig(gradient_frames=0)
    return attribute(SYSTEM, samples, [None] * 6, EVALUATION, config), samples


def test_a_wrong_calibration_is_named_and_its_shares_sum_to_the_gap(tmp_path):
    found, samples = attributed(displaced(CALIBRATION, yaw=math.radians(3.0)))
    assert found.score < 0.9
    assert sum(found.shares.values()) == pytest.approx(found.perfect - found.score, abs=1e-9)
    standing = findings(found, joins=("fuser",))
    assert [finding.component for finding in standing] == ["calibration"]
    assert "the camera looks 3.0 degrees too far left" in headline(standing, found)
    assert {traced.component for traced in found.traces} == {"calibration"}
    boxes = found.outputs["Detections"]
    drive = AttributedDrive(found, samples, list(boxes), SYSTEM, EVALUATION)
    report = write_attribution(drive, standing, tmp_path, "hand-made")
    assert "3.0 degrees too far left" in report.read_text()
    assert len(list((tmp_path / "pictures").iterdir())) == 4
    values = json.loads((tmp_path / "attribution.json").read_text())
    assert values["errors"]["camera_turn_y"]["value"] == pytest.approx(-0.0524, abs=0.001)
    assert read_reference(tmp_path / "attribution.json").shares == values["shares"]


def test_nothing_stands_out_where_nothing_is_wrong():
    found, _ = attributed(CALIBRATION)
    assert found.score == found.perfect == 1.0
    assert headline(findings(found, joins=("fuser",)), found).startswith(NOTHING)


def test_refuses_to_attribute_nothing():
    with pytest.raises(ValueError, match="samples is empty, expected at least one"):
        attribute(SYSTEM, [], [], EVALUATION)


def test_of_equal_shares_the_component_that_errs_more_often_is_the_cause():
    fault = FaultyCone(0, 0, True, "both", np.zeros(2))
    shares = {"a": np.array([0.5]), "b": np.array([0.5]), "c": np.array([0.0])}
    (traced,) = trace_cones([fault], shares, {"a": 0.1, "b": 0.4, "c": 0.9})
    assert traced.component == "b"


def test_a_cone_that_nothing_repairs_has_no_cause():
    fault = FaultyCone(0, 0, False, "clutter", np.zeros(2))
    (traced,) = trace_cones([fault], {"a": np.array([0.0])}, {"a": 1.0})
    assert traced.component == ""


def test_a_reference_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text('{"f1": 0.9}')
    with pytest.raises(ValueError, match=r"metrics\.json is not the attribution\.json of a drive"):
        read_reference(path)
