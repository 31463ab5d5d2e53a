"""Cameras of training frames: the one of the vehicle, or a random lens, height and pitch."""

import dataclasses
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from conegrad_core.geometry.camera import CameraModel
from conegrad_core.vehicle import Mounting, Vehicle

CAMERAS = 512  # random cameras to choose from; their rays are computed once
FIELDS_OF_VIEW = (math.radians(45.0), math.radians(110.0))
HEIGHTS = (0.15, 1.3)  # [m]
ASPECTS = (16 / 9, 16 / 9, 4 / 3, 2.0, 1.0)


class CameraRanges(NamedTuple):
    """What random cameras are drawn from.

    Attributes:
        seed: of the draws.
        fields_of_view: horizontal, lowest and highest [rad].
        heights: above the ground, lowest and highest [m].
        aspects: of the picture, each equally often.
        full_share: of the cameras whose picture fills the padded image.
        squeezes: vertical by horizontal focal length where both differ.
        distortions: first radial coefficient.
        pitches: share of the vertical field of view by which the camera looks down.
    """

    seed: int
    fields_of_view: tuple[float, float]
    heights: tuple[float, float]
    aspects: tuple[float, ...]
    full_share: float
    squeezes: tuple[float, float]
    distortions: tuple[float, float]
    pitches: tuple[float, float]


WIDE = CameraRanges(
    0xCA4A, FIELDS_OF_VIEW, HEIGHTS, ASPECTS, 0.5, (0.75, 1.35), (-0.12, 0.04), (-0.08, 0.38)
)
HARD = CameraRanges(
    0xCA4B,
    (math.radians(28.0), math.radians(118.0)),
    (0.15, 1.9),
    (*ASPECTS, 5 / 4, 2.4, 3.0, 3.7),
    0.25,
    (0.7, 1.45),
    (-0.16, 0.05),
    (-0.1, 0.5),
)
RANGES = {"wide": WIDE, "hard": HARD}


class PaddedCamera(NamedTuple):
    """A camera inside an image of the requested size.

    Attributes:
        model: the camera of the part of the image without padding.
        left, top: corner of that part [px]; the rest is grey padding.
        mounting: of the camera.
    """

    model: CameraModel
    left: int
    top: int
    mounting: Mounting


def padded_vehicle_camera(vehicle: Vehicle, size: tuple[int, int]) -> PaddedCamera:
    """The camera of a vehicle, scaled with its aspect ratio into ``size`` (width, height) [px]."""
    model = vehicle.camera.model()
    scale = min(size[0] / model.width, size[1] / model.height)
    width, height = round(model.width * scale), round(model.height * scale)
    matrix = model.intrinsics.clone()
    matrix[0] *= width / model.width
    matrix[1] *= height / model.height
    small = model._replace(width=width, height=height, intrinsics=matrix)
    return PaddedCamera(
        small, (size[0] - width) // 2, (size[1] - height) // 2, vehicle.camera.mounting
    )


@lru_cache(maxsize=2 * CAMERAS)
def random_camera(
    index: int, base: Mounting, size: tuple[int, int], ranges: CameraRanges = WIDE
) -> PaddedCamera:
    """One of :data:`CAMERAS` random cameras.

    Args:
        index: of the camera, the seed of its draws.
        base: mounting whose x and y the camera keeps.
        size: width and height of the padded image [px].
        ranges: what is drawn from.
    """
    rng = np.random.default_rng((index, ranges.seed))
    width, height = _content_size(rng, size, ranges)
    focal = width / 2 / math.tan(rng.uniform(*ranges.fields_of_view) / 2)
    squeeze = rng.uniform(*ranges.squeezes) if rng.random() < 0.25 else 1.0
    centre = np.array([width, height]) * rng.uniform(0.47, 0.53, 2)
    matrix = torch.tensor([[focal, 0, centre[0]], [0, focal * squeeze, centre[1]], [0, 0, 1]])
    coefficients = torch.zeros(0)
    if rng.random() < 0.6:
        distortion = [rng.uniform(*ranges.distortions), rng.uniform(0.0, 0.02), 0, 0, 0]
        coefficients = torch.tensor(distortion)
    lens = "plumb_bob" if len(coefficients) else "none"
    model = CameraModel(width, height, matrix.float(), coefficients.float(), lens)
    vertical = 2 * math.atan(height / 2 / (focal * squeeze))
    height_above_ground = math.exp(rng.uniform(*np.log(ranges.heights)))
    pitch = rng.uniform(*ranges.pitches) * vertical
    mounting = dataclasses.replace(
        base, z=height_above_ground, pitch=pitch, roll=rng.normal(0, 0.015), yaw=rng.normal(0, 0.03)
    )
    return PaddedCamera(model, (size[0] - width) // 2, (size[1] - height) // 2, mounting)


def _content_size(
    rng: np.random.Generator, size: tuple[int, int], ranges: CameraRanges
) -> tuple[int, int]:
    if rng.random() < ranges.full_share:
        return size
    aspect = float(rng.choice(ranges.aspects))
    width = min(size[0], round(size[1] * aspect))
    return width, min(size[1], round(width / aspect))


def padded_model(camera: PaddedCamera, size: tuple[int, int]) -> CameraModel:
    """The camera of the whole image, padding included."""
    matrix = camera.model.intrinsics.clone()
    matrix[0, 2] += camera.left
    matrix[1, 2] += camera.top
    return camera.model._replace(width=size[0], height=size[1], intrinsics=matrix)
