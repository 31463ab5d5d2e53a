"""Exact keypoints of cones as a camera of the car sees them."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConeClass
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import project
from conegrad_core.geometry.transforms import mounting_matrix, rigid_inverse
from conegrad_core.keypoints.cone_model import BOTTOM_RADII, HEIGHTS, TOP_RADII, keypoint_places
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.vehicle import load_vehicle

Placed = tuple[float, float, ConeClass]
ROWS: tuple[Placed, ...] = tuple(
    (x, side * 1.5, ConeClass.BLUE if side > 0 else ConeClass.YELLOW)
    for x in (3.5, 5.0, 7.5, 10.0, 14.0)
    for side in (1.0, -1.0)
)


class Seen(NamedTuple):
    """Cones with what a perfect detector and a perfect keypoint network make of them."""

    truth: Tensor
    keypoints: Keypoints
    detections: Detections
    calibration: Calibration


def see(
    cones: tuple[Placed, ...] = ROWS,
    *,
    tilt: tuple[float, float] = (0.0, 0.0),
    deviation: float = 0.5,
    noise: float = 0.0,
    seed: int = 0,
    lying: bool = False,
    calibration: Calibration | None = None,
) -> Seen:
    """Keypoints of cones, from a car with roll and pitch, with noise [px]."""
    calibration = calibration or load_vehicle("formula_student").calibration()
    truth = torch.tensor([cone[:2] for cone in cones]).reshape(-1, 2)
    classes = torch.tensor([cone[2] for cone in cones], dtype=torch.int64)
    sizes = (torch.tensor(table)[classes] for table in (HEIGHTS, BOTTOM_RADII, TOP_RADII))
    eye = rigid_inverse(calibration.camera_from_lidar)[:2, 3]
    places = keypoint_places(truth, *sizes, eye)
    if lying:  # on its side: height becomes a way along y
        y, z = places[..., 1].clone(), places[..., 2].clone()
        axis = truth[:, None, 1]
        places[..., 1], places[..., 2] = axis + z - 0.1, 0.09 + (y - axis)
    places[..., 2] = calibration.ground_z + calibration.up * places[..., 2]
    dip = mounting_matrix(torch.zeros(3), tilt[0], tilt[1], 0.0)
    camera_from_lidar = calibration.camera_from_lidar @ rigid_inverse(dip)
    pixels, _ = project(places.reshape(-1, 3), camera_from_lidar, calibration.camera)
    pixels = pixels.reshape(-1, 7, 2)
    generator = torch.Generator().manual_seed(seed)
    pixels = pixels + noise * torch.randn(pixels.shape, generator=generator)
    logits = torch.full((len(cones), 4), -6.0)
    logits[torch.arange(len(cones)), classes] = 4.0
    boxes = torch.cat([pixels.amin(1), pixels.amax(1)], dim=-1)
    deviations = torch.full(pixels.shape[:2], math.log(deviation))
    return Seen(truth, Keypoints(pixels, deviations), Detections(boxes, logits), calibration)


@pytest.fixture(scope="session")
def seen():
    """The function :func:`see`."""
    return see
