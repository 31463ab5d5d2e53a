import math

import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.port_truths.camera_truths import DetectionsTruth
from conegrad_evaluation.port_truths.cones_truth import ConesTruth
from conegrad_evaluation.port_truths.lidar_truths import SegmentedScanTruth
from conegrad_evaluation.port_truths.port_truth import port_truth
from conegrad_evaluation.port_truths.scene import TrueScene

CAR = load_vehicle("formula_student")
CALIBRATION = CAR.calibration()
PLACES = [[4.0, 1.6], [5.0, -1.5], [8.0, 1.7], [10.0, -1.6], [-2.0, 2.0]]
SEEN = torch.tensor([True, True, True, True, False])
TRUTH = TrueCones(torch.tensor(PLACES), torch.tensor([0, 1, 0, 3, 1]), SEEN, torch.ones(5) > 0)
SCENE = TrueScene(TRUTH, CALIBRATION)
SCAN = Scan(torch.full((1081,), math.nan), CAR.lidar.angles())
CONTEXT = FrameContext(CALIBRATION)


def perfect_inputs() -> tuple[SegmentedScan, Detections]:
    segmented = SegmentedScanTruth().perfect(SCENE, {"Scan": SCAN}, None, CONTEXT)
    return segmented, DetectionsTruth().perfect(SCENE, {}, None, CONTEXT)


def test_the_fusion_makes_right_cones_of_perfect_inputs():
    segmented, detections = perfect_inputs()
    with torch.no_grad():
        cones = select_cones(Fuser()(segmented, detections, CALIBRATION))
    apart = torch.cdist(TRUTH.positions, cones.positions)
    assert len(cones.source) == 5
    assert float(apart.amin(1).max()) < 0.1
    expected = torch.tensor([0, 1, 0, 3, int(ConeClass.UNKNOWN)])  # the camera looks ahead
    assert torch.equal(cones.colours.argmax(-1)[apart.argmin(1)], expected)


def test_perfect_values_are_right_in_all_their_parts():
    segmented, detections = perfect_inputs()
    assert DetectionsTruth().count(SCENE, detections).quality > 0.95
    assert SegmentedScanTruth().count(SCENE, segmented).quality == 1.0


def test_a_missed_box_lowers_the_quality_of_detections_alone():
    _, detections = perfect_inputs()
    fewer = Detections(*(tensor[1:] for tensor in detections))
    counts = DetectionsTruth().count(SCENE, fewer)
    assert (counts.made, counts.true) == (3, 4)


def test_a_perfect_join_knows_no_colour_without_a_box_and_no_cone_without_either():
    segmented, detections = perfect_inputs()
    beams = segmented.ranges < 4.5  # of the first cone and of the one behind the car
    logits = torch.where(beams, segmented.logits, torch.tensor(-8.0))
    box = Detections(*(tensor[2:3] for tensor in detections))
    inputs = {"SegmentedScan": segmented._replace(logits=logits), "Detections": box}
    cones: Cones = ConesTruth().perfect(SCENE, inputs, None, CONTEXT)
    torch.testing.assert_close(cones.positions, TRUTH.positions[[0, 2, 4]])
    assert cones.colours.argmax(-1).tolist() == [ConeClass.UNKNOWN, 0, ConeClass.UNKNOWN]


def test_truths_are_found_by_the_kind_of_port():
    assert port_truth("Detections") is DetectionsTruth
    assert port_truth("Image") is None
