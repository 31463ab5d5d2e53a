"""The recorded fusion against the fusion itself."""

import pytest
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.transforms import pose_matrix

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
        assert (found is None) == (wanted is None) == (name == "ids")
        if name == "ids":
            continue
        torch.testing.assert_close(found, wanted, msg=lambda text, name=name: f"{name}: {text}")


def fewer(scene, beams, boxes):
    """The scan without returns after some beams, and the first boxes."""
    scan = scene.scan()
    ranges = torch.where(torch.arange(len(scan.ranges)) < beams, scan.ranges, torch.nan)
    detections = Detections(*(values[:boxes] for values in scene.detections()))
    return scan._replace(ranges=ranges), detections


def test_onnx_runtime_gives_the_cones_of_the_fusion(world):
    fuser = Fuser(FuserConfig(engine="onnx"))
    traced = TracedFuser(fuser)
    scene = world.scene((*world.track(), (8.0, 0.2, ConeClass.SMALL_ORANGE)), ((6.0, 4.0, 0.1),))
    for beams, boxes in [(1081, 9), (540, 3), (1081, 0), (0, 5), (700, 1)]:
        scan, detections = fewer(scene, beams, boxes)
        assert_same(fuser, traced, scan, detections, scene.calibration, pose_matrix(0.1, 0.0, 0.02))


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


def test_the_first_pair_of_a_prepared_camera_is_not_recorded(world, fuser, monkeypatch):
    scene = world.scene(world.track())
    prepared = TracedFuser(fuser)
    prepared.prepare(scene.calibration.camera)
    monkeypatch.setattr("conegrad_core.fusion.traced.record", None)
    for motion in (None, pose_matrix(0.1, 0.0, 0.02)):
        arguments = (scene.scan(), scene.detections(), scene.calibration, motion)
        assert_same(fuser, prepared, *arguments)


def test_one_recording_serves_many_pairs(world, traced, monkeypatch):
    scene = world.scene(world.track())
    traced(scene.scan(), scene.detections(), scene.calibration)
    monkeypatch.setattr(torch.jit, "trace", None)  # calling it again would fail
    for boxes in range(5):
        traced(*fewer(scene, 1081, boxes), scene.calibration)
        # Odometry that comes in during a drive halts nothing either.
        traced(*fewer(scene, 1081, boxes), scene.calibration, pose_matrix(0.1, 0.0, 0.02))


def changed(calibration):
    """The calibration with one number of each kind a little off."""
    camera = calibration.camera
    shift = torch.zeros(4, 4)
    shift[0, 3] = 0.02
    for part in (
        {
            "camera": camera._replace(
                intrinsics=camera.intrinsics * torch.tensor([[1.0], [1.1], [1]])
            )
        },
        {"camera": camera._replace(distortion=camera.distortion * 3)},
        {"camera": camera._replace(distortion=torch.tensor([-0.4, 0.0, 0.0, 0.0, 0.0]))},
        {"camera_from_lidar": calibration.camera_from_lidar + shift},
        {"lidar_height": calibration.lidar_height + 0.05},
    ):
        yield calibration._replace(**part)


@pytest.mark.parametrize("motion", [None, MOTION, pose_matrix(0.1, 0.0, 0.02)])
def test_the_numbers_of_a_calibration_are_inputs_of_one_recording(
    world, fuser, monkeypatch, motion
):
    traced = TracedFuser(fuser)
    # Cones beside the image, where it depends on the lens whether the camera should see them.
    track = (*world.track(), (3.0, 2.9, ConeClass.BLUE), (4.0, -4.1, ConeClass.YELLOW))
    scene = world.scene(track)
    arguments = scene.scan(), scene.detections()
    traced(*arguments, scene.calibration, motion)
    monkeypatch.setattr(torch.jit, "trace", None)  # calling it again would fail
    for calibration in changed(scene.calibration):
        assert_same(fuser, traced, *arguments, calibration, motion)
    assert_same(fuser, traced, *arguments, scene.calibration, motion)


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [("none", 0), ("plumb_bob", 4), ("rational_polynomial", 8), ("equidistant", 4)],
)
def test_every_distortion_model_is_recorded(world, fuser, traced, model, coefficients):
    scene = world.scene(world.track())
    for strength in (0.01, -0.02):
        camera = scene.calibration.camera._replace(
            distortion=torch.full((coefficients,), strength), distortion_model=model
        )
        calibration = scene.calibration._replace(camera=camera)
        assert_same(fuser, traced, scene.scan(), scene.detections(), calibration, MOTION)


def test_beyond_some_image_sizes_nothing_more_is_recorded(world, fuser, monkeypatch):
    monkeypatch.setattr("conegrad_core.fusion.traced.MAX_STRUCTURES", 1)
    traced = TracedFuser(fuser)
    scene = world.scene(world.track())
    traced(scene.scan(), scene.detections(), scene.calibration)
    monkeypatch.setattr(torch.jit, "trace", None)
    for width in (1281, 1282):
        camera = scene.calibration.camera._replace(width=width)
        calibration = scene.calibration._replace(camera=camera)
        assert_same(fuser, traced, scene.scan(), scene.detections(), calibration)
    assert_same(fuser, traced, scene.scan(), scene.detections(), scene.calibration)
