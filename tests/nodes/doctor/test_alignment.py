"""The disagreement of camera and LiDAR about the same cones."""

import math

import pytest
import torch

pytest.importorskip("ament_index_python")

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CONE_HEIGHTS
from conegrad_core.geometry.calibration import mounted_calibration
from conegrad_core.geometry.camera import pinhole_camera, project
from conegrad_core.geometry.transforms import mounting_matrix, optical_from_body, rigid_inverse
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_nodes.doctor.alignment import SeenTogether, misalignment

RADIUS = 0.1  # [m] of the cones in the scan
CAMERA = pinhole_camera(1280, 720, 1.6)
BASE_FROM_LIDAR = mounting_matrix(torch.tensor([1.5, 0.0, 0.15]), 0.0, 0.0, 0.0)
CONES = torch.tensor([[4.0, 2.0], [4.5, -1.5], [7.0, 2.2], [7.5, -1.4], [10.0, 1.8], [10.0, -2.0]])


def calibration(yaw, pitch):
    """Camera above the car that looks ahead and down, turned further by angles [degrees]."""
    angles = 0.0, 0.15 + math.radians(pitch), math.radians(yaw)
    base_from_camera = mounting_matrix(torch.tensor([0.4, 0.0, 1.1]), *angles)
    camera_from_base = optical_from_body() @ rigid_inverse(base_from_camera)
    return mounted_calibration(CAMERA, camera_from_base @ BASE_FROM_LIDAR, BASE_FROM_LIDAR)


def boxes(cones, true):
    """Boxes of cones in the LiDAR frame as the camera really sees them."""
    ground, height = true.ground_z, CONE_HEIGHTS[0]
    front = cones * (1 - RADIUS / cones.norm(dim=-1, keepdim=True))
    foot = torch.cat([front, torch.full((len(cones), 1), ground)], -1)
    top = torch.cat([cones, torch.full((len(cones), 1), ground + height)], -1)
    (below, _), (above, _) = (project(p, true.camera_from_lidar, CAMERA) for p in (foot, top))
    half = 0.35 * (below[:, 1] - above[:, 1])
    return torch.stack([below[:, 0] - half, above[:, 1], below[:, 0] + half, below[:, 1]], -1)


def scan(cones):
    """Beams that meet the front of each cone, and their logits."""
    angles = torch.arange(-1.5, 1.5, 0.004)
    ranges = torch.full_like(angles, math.nan)
    for distance, bearing in zip(
        cones.norm(dim=-1), torch.atan2(*cones.flip(-1).unbind(-1)), strict=True
    ):
        hit = (angles - bearing).abs() < RADIUS / distance
        ranges[hit] = distance - RADIUS
    return SegmentedScan(ranges, angles, torch.where(ranges.isnan(), -20.0, 8.0))


def frames(yaw, pitch, count=4):
    true, stated = calibration(0.0, 0.0), calibration(yaw, pitch)
    for number in range(count):
        cones = CONES + 0.15 * number
        seen = boxes(cones, true)
        logits = torch.full((len(seen), 4), -6.0)
        logits[:, 0] = 6.0
        yield SeenTogether(stated, Detections(seen, logits), scan(cones))


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (2.0, 0.0), (0.0, -1.5), (-4.0, 2.0)])
def test_the_turn_that_the_calibration_states_too_much_is_found(yaw, pitch):
    found = misalignment(frames(yaw, pitch))
    assert math.degrees(found.yaw) == pytest.approx(yaw, abs=0.25)
    assert math.degrees(found.pitch) == pytest.approx(pitch, abs=0.25)
    assert found.pairs >= 20


def test_too_few_cones_say_nothing():
    assert misalignment(frames(0.0, 0.0, count=1)) is None
    assert misalignment([]) is None
