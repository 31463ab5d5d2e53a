"""The whole perception in one module: the end loss reaches the first layer of both networks."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.camera.head import build_network
from conegrad_core.cones import TrueCones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import pinhole_camera
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter
from conegrad_core.losses import EndLoss
from conegrad_core.pipeline import Perception

SIZE = (160, 96)


@pytest.fixture(scope="module")
def perception(tmp_path_factory):
    torch.manual_seed(0)
    network = build_network("yolov5n").eval()
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(network, path, architecture="yolov5n", input_size=SIZE, half=False)
    settings = DetectorConfig(
        weights=str(path), engine="torch", threads=1, input_width=SIZE[0], input_height=SIZE[1]
    )
    return Perception(load_detector(settings), ScanSegmenter(), Fuser())


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
    losses = EndLoss()(perception(*frame), truth)
    sum(losses.values()).backward()
    for network in (perception.detector, perception.segmenter, perception.fuser):
        assert next(network.parameters()).grad.abs().sum() > 0


def test_perceiving_selects_from_the_same_candidates(perception, frame):
    with torch.inference_mode():
        expected = select_cones(perception(*frame), min_existence=0.1)
    found = perception.perceive(*frame, min_existence=0.1)
    torch.testing.assert_close(found, expected)
    assert not found.positions.requires_grad


def test_one_sensor_is_enough(perception, frame):
    image, scan, calibration = frame
    assert len(perception(None, scan, calibration).positions) == 1
    boxes = perception(image, None, calibration)
    assert (boxes.source == 1).all()
    with pytest.raises(ValueError, match="expected one of them at least"):
        perception(None, None, calibration)
