"""The pipelines that mark keypoints: their shapes, and odd samples through all stages."""

import numpy as np
import pytest
import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_core.camera.image import Detections
from conegrad_core.colours.colour_network import ColourNetwork
from conegrad_core.cones import ConePositions
from conegrad_core.crops.network import CropModel
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.keypoints.keypoint_network import KeypointNetwork
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.perception import Perception
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.pattern import integration_pattern, responsible_networks
from conegrad_core.vehicle import load_vehicle

PIPELINES = {
    "camera_keypoints": "sequential",
    "camera_fork": "forking parallel",
    "camera_lidar_keypoints": "sequential + joining parallel",
}
SIZE = (320, 180)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Settings of every stage with random weights, on torch."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    network = build_network("yolov5n").eval()
    save_network(
        network,
        folder / "detector.safetensors",
        architecture="yolov5n",
        input_size=(160, 96),
        half=False,
    )
    for name, crop_network in (("keypoints", KeypointNetwork()), ("classifier", ColourNetwork())):
        CropModel(crop_network).save(folder / f"{name}.safetensors")
    detector = {"input_width": 160, "input_height": 96}
    return {
        name: {"engine": "torch", "weights": str(folder / f"{name}.safetensors"), **more}
        for name, more in (("detector", detector), ("keypoints", {}), ("classifier", {}))
    }


def load(name, settings):
    stages = load_stages(name)
    given = {stage: values for stage, values in settings.items() if stage in stages}
    return load_pipeline(name, given)


def load_stages(name):
    return {
        "camera_keypoints": ("detector", "keypoints"),
        "camera_fork": ("detector", "keypoints", "classifier"),
        "camera_lidar_keypoints": ("detector", "keypoints"),
    }[name]


@pytest.fixture(scope="module")
def calibration():
    car = load_vehicle("formula_student").calibration()
    return car._replace(camera=pinhole_camera(*SIZE, 1.7))


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def boxes(count, size=(14.0, 18.0)):
    generator = torch.Generator().manual_seed(count)
    corner = torch.rand(count, 2, generator=generator) * torch.tensor([280.0, 60.0])
    corner = corner + torch.tensor([0.0, 90.0])
    logits = torch.randn(count, 4, generator=generator)
    return Detections(torch.cat([corner, corner + torch.tensor(size)], dim=1), logits)


def check(cones, count):
    assert len(cones.positions) == count
    assert all(values.isfinite().all() for values in cones if values is not None)
    assert (torch.linalg.eigvalsh(cones.covariances.detach().double()) > 0).all()


@pytest.mark.parametrize(("name", "pattern"), PIPELINES.items())
def test_the_integration_pattern_follows_from_the_file(settings, name, pattern):
    pipeline = load(name, settings)
    assert integration_pattern(pipeline) == pattern
    assert {"detector", "keypoints", "solver", "fuser"} <= set(pipeline.learned_stages)
    assert "solver" not in pipeline.networks
    colour = ("classifier",) if name == "camera_fork" else ()
    assert responsible_networks(pipeline, "colour") == ("detector", *colour)
    assert "keypoints" in responsible_networks(pipeline, "position")


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_detections(settings, calibration, image, name, count):
    pipeline = load(name, settings)
    values = {"image": [image], "detections": [boxes(count)]}
    if "scan" in pipeline.specification.inputs:
        scan = SegmentedScan(
            torch.full((541,), torch.nan), torch.linspace(-2, 2, 541), torch.zeros(541)
        )
        values["segmentation"] = [scan]
    (cones,) = pipeline(values, [FrameContext(calibration)], ["cones"])["cones"]
    check(cones, count)


def test_boxes_at_the_border_and_beyond_give_uncertain_cones(settings, calibration, image):
    pipeline = load("camera_fork", settings)
    width, height = SIZE
    odd = torch.tensor(
        [
            [-5.0, 100.0, 6.0, 118.0],
            [width - 4.0, 100.0, width + 5.0, 120.0],
            [100.0, height - 8.0, 120.0, height + 20.0],
            [100.0, -9.0, 120.0, 5.0],
            [60.0, 100.0, 60.0, 100.0],  # without any size
        ]
    )
    values = {"image": [image], "detections": [Detections(odd, torch.zeros(5, 4))]}
    (cones,) = pipeline(values, [FrameContext(calibration)], ["cones"])["cones"]
    check(cones, 5)


def test_the_end_of_the_pipeline_reaches_the_boxes(settings, calibration, image):
    pipeline = load_pipeline("camera_fork", settings, trainable=True)
    found = boxes(3)
    given = Detections(found.boxes_xyxy.clone().requires_grad_(), found.logits)
    values = {"image": [image], "detections": [given]}
    (cones,) = pipeline(values, [FrameContext(calibration)], ["cones"])["cones"]
    (cones.positions.square().sum() + cones.colours[:, 0].sum()).backward()
    assert given.boxes_xyxy.grad.abs().sum() > 0
    for stage in ("keypoints", "classifier", "solver"):
        assert any(p.grad is not None for p in pipeline.stage(stage).parameters())


def test_keypoints_alone_reach_the_weights_of_the_detector(settings, image):
    pipeline = load_pipeline("camera_fork", settings, trainable=True)
    (keypoints,) = pipeline({"image": [image]}, [FrameContext()], ["keypoints"])["keypoints"]
    assert len(keypoints.positions) > 0
    keypoints.positions.square().sum().backward()
    gradients = [w.grad for w in pipeline.stage("detector").parameters() if w.grad is not None]
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


def test_perception_runs_without_a_scan(settings, calibration, image):
    perception = Perception.load("camera_keypoints", settings={
        stage: settings[stage] for stage in ("detector", "keypoints")
    })  # fmt: skip
    candidates = perception.candidates(image, None, calibration)
    check(candidates, len(candidates.positions))
    assert (candidates.source == 1).all()
    with pytest.raises(ValueError, match=r"images are 160x90 px, but the intrinsics are for 320"):
        perception(image[::2, ::2], None, calibration)


def test_a_sample_without_an_image_leaves_the_lidar(settings, calibration):
    pipeline = load("camera_lidar_keypoints", settings)
    ranges = torch.full((541,), torch.nan)
    ranges[268:274] = 5.0
    scan = SegmentedScan(ranges, torch.linspace(-2, 2, 541), torch.full((541,), 4.0))
    values = {"image": [None], "segmentation": [scan]}
    (cones,) = pipeline(values, [FrameContext(calibration)], ["cones"])["cones"]
    check(cones, 1)
    assert (cones.source == 2).all()


def test_positions_of_other_rows_are_refused(settings, calibration, image):
    pipeline = load("camera_keypoints", settings)
    few = ConePositions(torch.zeros(2, 2), torch.eye(2).expand(2, 2, 2))
    values = {"image": [image], "detections": [boxes(3)], "positions": [few]}
    with pytest.raises(ValueError, match=r"positions of the detections has shape \(2, 2\)"):
        pipeline(values, [FrameContext(calibration)], ["cones"])
