import math

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import TrueCones
from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.attribution.calibration_errors import measure_errors
from conegrad_evaluation.attribution.refinement import (
    CAMERA_TIME,
    Estimate,
    RefinedFrame,
    Refinement,
    corrected,
    moved_by,
)
from conegrad_evaluation.disturbances.calibrations import displaced
from conegrad_evaluation.port_truths.camera_truths import DetectionsTruth
from conegrad_evaluation.port_truths.lidar_truths import SegmentedScanTruth
from conegrad_evaluation.port_truths.scene import TrueScene

CAR = load_vehicle("formula_student")
CALIBRATION = CAR.calibration()


def truth(seed: int) -> TrueCones:
    """Two rows of cones ahead."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.arange(3.0, 14.0, 2.5).repeat(2) + 0.5 * torch.rand(10, generator=generator)
    y = torch.tensor([1.7] * 5 + [-1.7] * 5) + 0.5 * torch.rand(10, generator=generator)
    seen = torch.ones(10, dtype=torch.bool)
    return TrueCones(torch.stack([x, y], -1), torch.tensor([0] * 5 + [1] * 5), seen, seen)


def drive(given, delay: float = 0.0):
    """Perfect outputs of six frames, and the scenes as a wrong calibration and stamp say."""
    scenes, outputs, twists = [], {"Detections": [], "SegmentedScan": []}, []
    scan = Scan(torch.full((1081,), math.nan), CAR.lidar.angles())
    for frame in range(6):
        cones, twist = truth(frame), torch.tensor([8.0, 0.1, 0.8 if frame % 2 else -0.6])
        right = TrueScene(cones, CALIBRATION, torch.eye(4))
        outputs["Detections"].append(DetectionsTruth().perfect(right, {}, None, FrameContext()))
        found = SegmentedScanTruth().perfect(right, {"Scan": scan}, None, FrameContext())
        outputs["SegmentedScan"].append(found)
        wrong = moved_by(twist, delay).float()
        scenes.append(TrueScene(cones, given, wrong))
        twists.append(twist)
    return scenes, outputs, twists


def test_sensors_in_their_places_have_no_error():
    assert measure_errors(*drive(CALIBRATION)) == Refinement({}, {})


def test_finds_the_angle_by_which_the_camera_looks_too_low():
    found = measure_errors(*drive(displaced(CALIBRATION, pitch=math.radians(1.5))))
    assert math.degrees(found.mounting["camera_turn_x"].value) == pytest.approx(-1.5, abs=0.05)
    assert not found.time


def test_finds_the_shift_of_the_camera():
    found = measure_errors(*drive(displaced(CALIBRATION, y=0.06)))
    assert found.mounting["camera_x"].value == pytest.approx(-0.06, abs=0.005)


def test_finds_the_delay_of_the_stamps_of_the_camera():
    found = measure_errors(*drive(CALIBRATION, delay=0.06))
    assert found.time[CAMERA_TIME].value == pytest.approx(-0.06, abs=0.002)
    assert not found.mounting


def test_a_refined_frame_is_given_what_is_right():
    given = displaced(CALIBRATION, yaw=math.radians(2.0))
    found = Refinement({"camera_turn_y": Estimate(math.radians(-2.0), 0.0)})
    frame = RefinedFrame(FrameContext(given), None, found, corrected(given, found))
    assert frame.context(mounting=False, time=True).calibration is given
    right = frame.context(mounting=True, time=False).calibration
    expected = CALIBRATION.camera_from_lidar
    torch.testing.assert_close(right.camera_from_lidar[:3, :3], expected[:3, :3], atol=1e-4, rtol=0)


def test_few_cones_say_nothing():
    scenes, outputs, twists = drive(displaced(CALIBRATION, pitch=math.radians(1.5)))
    empty = Detections(torch.zeros(0, 4), torch.zeros(0, 4))
    outputs["Detections"] = [empty] * len(scenes)
    assert measure_errors(scenes, outputs, twists) == Refinement({}, {})
