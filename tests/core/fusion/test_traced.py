"""The recorded fusion against the fusion itself."""

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.transforms import pose_matrix
from conegrad_core.lidar.scan import SegmentedScan

MOTION = torch.tensor([-0.1, 0.02, 0.01])


@pytest.fixture(scope="module")
def fuser():
    return Fuser()


@pytest.fixture(scope="module")
def traced(fuser):
    return TracedFuser(fuser)


def assert_same(fuser, traced, *arguments):
    with torch.inference_mode():
        expected = fuser(*arguments)
    for name, found, wanted in zip(expected._fields, traced(*arguments), expected, strict=True):
        torch.testing.assert_close(found, wanted, msg=lambda text, name=name: f"{name}: {text}")


def fewer(scene, beams, boxes):
    """The scan without returns after some beams, and the first boxes."""
    ranges, angles, logits = scene.scan()
    ranges = torch.where(torch.arange(len(ranges)) < beams, ranges, torch.nan)
    detections = Detections(*(values[:boxes] for values in scene.detections()))
    return SegmentedScan(ranges, angles, logits), detections


@pytest.mark.parametrize("motion", [None, MOTION, pose_matrix(0.1, 0.0, 0.02)])
def test_cones_are_those_of_the_fusion_for_any_number_of_candidates(world, fuser, traced, motion):
    scene = world.scene((*world.track(), (8.0, 0.2, ConeClass.SMALL_ORANGE)), ((6.0, 4.0, 0.1),))
    for beams, boxes in [(1081, 9), (540, 3), (1081, 0), (0, 5), (0, 0), (700, 1), (1081, 9)]:
        scan, detections = fewer(scene, beams, boxes)
        assert_same(fuser, traced, scan, detections, scene.calibration, motion)


def test_a_new_calibration_counts_at_once(world, fuser, traced):
    for pitch in (0.15, 0.25, 0.15):
        scene = world.scene(world.track(), calibration=world.calibration(pitch))
        assert_same(fuser, traced, scene.scan(), scene.detections(), scene.calibration, MOTION)


def test_one_sensor_alone_is_that_of_the_fusion(world, fuser, traced):
    scene = world.scene(world.track())
    assert_same(fuser, traced, scene.scan(), None, scene.calibration)
    assert_same(fuser, traced, None, scene.detections(), scene.calibration)


def test_one_recording_serves_many_pairs(world, traced, monkeypatch):
    scene = world.scene(world.track())
    traced(scene.scan(), scene.detections(), scene.calibration)
    monkeypatch.setattr(torch.jit, "trace", None)  # calling it again would fail
    for boxes in range(5):
        traced(*fewer(scene, 1081, boxes), scene.calibration)
        # Odometry that comes in during a drive halts nothing either.
        traced(*fewer(scene, 1081, boxes), scene.calibration, pose_matrix(0.1, 0.0, 0.02))
