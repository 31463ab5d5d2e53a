"""Metrics of the kinds of ports, and how a package adds one."""

from pathlib import Path

import pytest
import torch
from installed_package import brightness_package, write_distribution

from conegrad_core.camera.image import Detections, TrueBoxes
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import windows_around
from conegrad_core.keypoints.keypoints import Keypoints, TrueKeypoints
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.pipeline.errors import PipelineError
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import (
    PORT_METRICS,
    ConeColoursMetric,
    ConesMetric,
    DetectionsMetric,
    KeypointsMetric,
    SegmentedScanMetric,
    port_metric,
)

CONFIG = EvaluationConfig()


def detections(*boxes: list[float], score: float = 5.0) -> Detections:
    logits = torch.full((len(boxes), 4), -9.0)
    logits[:, 0] = score
    return Detections(torch.tensor(boxes).reshape(-1, 4), logits)


def cones(positions: list[list[float]], logits: list[float]) -> Cones:
    count = len(positions)
    return Cones(
        torch.tensor(positions).reshape(count, 2),
        0.01 * torch.eye(2).repeat(count, 1, 1),
        torch.tensor([[0.9, 0.1, 0.0, 0.0, 0.0]]).repeat(count, 1),
        torch.tensor(logits),
        torch.full((count,), 3),
    )


def truth(positions: list[list[float]]) -> TrueCones:
    count = len(positions)
    seen = torch.ones(count, dtype=torch.bool)
    return TrueCones(
        torch.tensor(positions).reshape(count, 2), torch.zeros(count).long(), seen, seen
    )


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        ("Cones", ConesMetric),
        ("Detections", DetectionsMetric),
        ("SegmentedScan", SegmentedScanMetric),
    ],
)
def test_the_kinds_of_the_car_have_a_metric(kind: str, metric: type):
    assert port_metric(kind) is metric


def test_a_kind_without_a_metric_has_none():
    assert port_metric("Image") is None


@pytest.mark.parametrize("metric", [ConesMetric, DetectionsMetric, SegmentedScanMetric])
def test_there_are_no_figures_without_samples(metric: type):
    assert metric(CONFIG).result() is None


def test_detections_are_measured_by_map50():
    metric = DetectionsMetric(CONFIG)
    boxes = torch.tensor([[10.0, 10.0, 30.0, 50.0], [50.0, 10.0, 70.0, 50.0]])
    metric.add(detections([10.0, 10.0, 30.0, 50.0]), TrueBoxes(boxes, torch.zeros(2).long()))
    result = metric.result()
    # One of two boxes is found and no other: precision 1 up to recall 0.5.
    assert result.headline == {"mAP50": 0.5}
    assert result.details == {"blue": 0.5, "mean": 0.5}


def test_boxes_lower_than_four_pixels_do_not_count():
    metric = DetectionsMetric(CONFIG)
    boxes = torch.tensor([[10.0, 10.0, 30.0, 50.0], [50.0, 10.0, 52.0, 13.0]])
    metric.add(detections([10.0, 10.0, 30.0, 50.0]), TrueBoxes(boxes, torch.zeros(2).long()))
    assert metric.result().headline == {"mAP50": 1.0}


def test_beams_are_counted_over_all_scans():
    metric = SegmentedScanMetric(CONFIG)
    ranges, angles = torch.tensor([3.0, 4.0, torch.nan]), torch.tensor([-0.1, 0.0, 0.1])
    hit, miss = torch.tensor([9.0, -9.0, 9.0]), torch.tensor([9.0, 9.0, 9.0])
    labels = torch.tensor([True, False, True])
    metric.add(SegmentedScan(ranges, angles, hit), labels)
    metric.add(SegmentedScan(ranges, angles, miss), labels)
    result = metric.result()
    # The third beam has no return; of the others two hits, one false beam.
    assert result.headline == {"beam_f1": pytest.approx(4 / 5)}
    assert result.details["true_positives"] == 2
    assert result.details["false_positives"] == 1
    assert result.details["false_negatives"] == 0


def test_candidates_are_selected_before_they_are_matched():
    metric = ConesMetric(CONFIG)
    # The second is within the merge distance of the first, the third below the lowest existence.
    metric.add(
        cones([[5.0, 1.0], [5.1, 1.0], [9.0, 9.0]], [4.0, 3.0, -9.0]),
        truth([[5.0, 1.0], [8.0, 0.0]]),
    )
    result = metric.result()
    assert result.headline["precision"] == 1.0
    assert result.headline["recall"] == 0.5
    assert result.headline["f1"] == result.headline["f1_colour"] == pytest.approx(2 / 3)
    assert result.headline["rmse"] == pytest.approx(0.0, abs=1e-6)
    assert result.details["total"]["counts"]["predicted"] == 1


def test_a_package_adds_a_metric_by_entry_point_alone(tmp_path: Path):
    with brightness_package(tmp_path):
        metric = port_metric("Brightness")(CONFIG)
    metric.add(torch.tensor(0.75), torch.tensor(0.5))
    metric.add(torch.tensor(0.25), torch.tensor(0.25))
    assert metric.result().headline == {"brightness_error": 0.125}


def test_an_entry_point_of_another_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    odd = ["Odd = conegrad_evaluation.port_metrics:PortResult"]
    write_distribution(tmp_path, "odd_package", {PORT_METRICS: odd})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PipelineError, match="'Odd' of package odd_package is PortResult, expected"):
        port_metric("Odd")


def crops(boxes: torch.Tensor) -> Crops:
    windows = windows_around(boxes)
    return Crops(torch.zeros(len(boxes), 3, 8, 8), windows)


BOXES = torch.tensor([[10.0, 10.0, 20.0, 30.0], [50.0, 10.0, 70.0, 60.0]])


def test_keypoints_are_compared_where_their_crop_shows_a_standing_cone():
    height = torch.linspace(0, 20, 7)[:, None] * torch.tensor([0.0, 1.0])
    true = torch.stack([BOXES[0, :2] + height, BOXES[1, :2] + height])
    visible = torch.ones(2, 7, dtype=torch.bool)
    visible[1, 0] = False
    truth = TrueKeypoints(BOXES, true, visible, torch.zeros(2).long())
    found = true[[1, 0, 0]] + torch.tensor([0.6, 0.8])  # 1 px off: 0.05 of 20 px
    found[0, 0] += 99.0  # not visible
    elsewhere = torch.tensor([[300.0, 300.0, 320.0, 320.0]])
    metric = KeypointsMetric(CONFIG)
    assert metric.result() is None
    shown = crops(torch.cat([BOXES[[1, 0]], elsewhere]))
    metric.add(Keypoints(found, torch.zeros(3, 7)), truth, shown)
    result = metric.result()
    assert result.headline == pytest.approx({"keypoint_error": 0.05, "keypoint_error_90": 0.05})
    assert result.details["keypoints"] == 13
    # Squares 0.36 and 0.64 in single precision, at a deviation of 1 px.
    assert result.details["calibration"] == pytest.approx(0.5, rel=1e-4)
    assert set(result.details["by_box_height"]) == {"20 to 40 px", "40 to 80 px"}


def test_colours_are_compared_where_their_crop_shows_a_cone_of_known_colour():
    classes = torch.tensor([ConeClass.YELLOW, ConeClass.BLUE, ConeClass.UNKNOWN])
    boxes = torch.cat([BOXES, BOXES[:1] + 100])
    logits = torch.eye(4)[[1, 1, 0]]
    metric = ConeColoursMetric(CONFIG)
    assert metric.result() is None
    metric.add(ConeColours(logits), TrueBoxes(boxes, classes), crops(boxes))
    result = metric.result()
    assert result.headline == {"colour_accuracy": 0.5}
    assert result.details["cones"] == 2
    assert result.details["by_class"]["yellow"] == {"accuracy": 1.0, "cones": 1}
