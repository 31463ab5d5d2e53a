"""The public face: a picture and a scan in, cones out; the end loss reaches both networks."""

import math

import numpy as np
import pytest
import torch

import conegrad_core
from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.camera.head import build_network
from conegrad_core.camera.stage import DetectorStage
from conegrad_core.cones import TrueCones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.stage import FusionStage
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter
from conegrad_core.lidar.stage import SegmenterStage
from conegrad_core.losses import EndLoss
from conegrad_core.perception import Perception
from conegrad_core.pipeline.build import build_pipeline, load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification, read_specification
from conegrad_core.pipeline.graph import Pipeline

SIZE = (160, 96)
FUSER = "  fuser: {module: cone_fusion, inputs: {detections: boxes}, outputs: {cones: joined}}\n"
CAMERA_ALONE = f"""
inputs: {{image: Image}}
stages:
  detector:
    module: yolov5_detector
    inputs: {{image: image}}
    outputs: {{detections: boxes}}
    settings: {{engine: torch, input_width: 160, input_height: 96}}
{FUSER}
outputs: {{cones: joined}}
"""


@pytest.fixture(scope="module")
def perception(tmp_path_factory):
    torch.manual_seed(0)
    network = build_network("yolov5n").eval()
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(network, path, architecture="yolov5n", input_size=SIZE, half=False)
    settings = DetectorConfig(
        weights=str(path), engine="torch", threads=1, input_width=SIZE[0], input_height=SIZE[1]
    )
    stages = {
        "detector": DetectorStage(load_detector(settings)),
        "segmenter": SegmenterStage(ScanSegmenter()),
        "fuser": FusionStage(Fuser()),
    }
    return Perception(Pipeline(load_specification("camera_lidar"), stages))


@pytest.fixture(scope="module")
def frame():
    image = np.random.default_rng(0).integers(0, 255, (96, 160, 3), dtype=np.uint8)
    ranges = torch.full((541,), torch.nan)
    ranges[268:274] = 5.0  # one object straight ahead
    scan = Scan(ranges, torch.linspace(-math.radians(135), math.radians(135), 541))
    mounting = mounting_matrix(torch.tensor([-1.0, 0.0, 0.9]), 0.0, 0.2, 0.0)
    calibration = Calibration(
        pinhole_camera(160, 96, 1.6), optical_from_body() @ rigid_inverse(mounting), 0.15
    )
    return image, scan, calibration


def test_the_end_loss_reaches_the_first_layer_of_both_networks(perception, frame):
    seen = torch.ones(1, dtype=torch.bool)
    truth = TrueCones(torch.tensor([[5.0, 0.1]]), torch.tensor([1]), seen, seen)
    losses = EndLoss()(perception.candidates(*frame), truth)
    sum(losses.values()).backward()
    for stage in perception.pipeline.stages.values():
        assert next(stage.parameters()).grad.abs().sum() > 0


def test_perceiving_selects_from_the_same_candidates(perception, frame):
    with torch.inference_mode():
        expected = select_cones(perception.candidates(*frame), min_existence=0.1)
    found = perception(*frame, min_existence=0.1)
    torch.testing.assert_close(found, expected)
    assert not found.positions.requires_grad


def test_one_sensor_is_enough(perception, frame):
    image, scan, calibration = frame
    assert len(perception.candidates(None, scan, calibration).positions) == 1
    boxes = perception.candidates(image, None, calibration)
    assert (boxes.source == 1).all()
    with pytest.raises(ValueError, match="expected one of them at least"):
        perception(None, None, calibration)


def test_three_lines_give_cones_of_a_picture_and_a_scan():
    perception, car = conegrad_core.Perception.load(), conegrad_core.Vehicle.load("roboracer")
    image = np.full((car.camera.height, car.camera.width, 3), 90, dtype=np.uint8)
    ranges = torch.full((car.lidar.beams,), torch.nan)
    cones = perception(image, conegrad_core.Scan(ranges, car.lidar.angles()), car)
    assert isinstance(cones, conegrad_core.Cones)
    assert len(cones.positions) == 0
    with pytest.raises(AttributeError, match="no attribute 'Lidar'"):
        _ = conegrad_core.Lidar


def test_the_recorded_fusion_finds_the_very_same_cones(frame):
    perception = Perception.load()
    found = [perception(*frame, min_existence=0.01) for _ in range(2)]
    plain = Perception(load_pipeline())
    expected = plain(*frame, min_existence=0.01)
    assert len(expected.positions) > 0
    for cones in found:
        assert all(torch.equal(*pair) for pair in zip(cones[:-1], expected[:-1], strict=True))


def test_weights_are_given_by_the_name_of_the_stage(tmp_path):
    path = tmp_path / "scalars.safetensors"
    fuser = Fuser()
    fuser.scalars.set_values({"cone_radius": 0.06})
    fuser.save(path)
    loaded = Perception.load(weights={"fuser": path})
    values = loaded.pipeline.stage("fuser").module.values()
    assert values["cone_radius"] == pytest.approx(0.06)


def test_a_car_without_lidar_takes_no_scan(frame):
    image, scan, calibration = frame
    perception = Perception(build_pipeline(read_specification(CAMERA_ALONE, "camera.yaml")))
    assert (perception.candidates(image, None, calibration).source == 1).all()
    with pytest.raises(ValueError, match=r"scan is given, expected None: camera\.yaml"):
        perception(image, scan, calibration)


def test_refuses_a_pipeline_that_gives_no_cones():
    text = CAMERA_ALONE.replace("outputs: {cones: joined}\n", "outputs: {boxes: boxes}\n")
    pipeline = build_pipeline(read_specification(text.replace(FUSER, ""), "boxes.yaml"))
    with pytest.raises(PipelineError, match=r"boxes\.yaml has 0 outputs of kind Cones"):
        Perception(pipeline)


def test_refuses_an_image_of_another_size_than_the_intrinsics(perception, frame):
    image, scan, calibration = frame
    with pytest.raises(ValueError, match=r"images are 80x48 px, .* for 160x96: .* scaled by 0\.5"):
        perception(image[::2, ::2], scan, calibration)
