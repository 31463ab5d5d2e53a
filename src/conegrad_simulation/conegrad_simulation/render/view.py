"""View of a camera at one moment: map points to pixels, and pixels to directions in the map."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.geometry.camera import CameraModel, project, undistort_pixels
from conegrad_core.geometry.transforms import (
    mounting_matrix,
    optical_from_body,
    pose_matrix,
    rigid_inverse,
)
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Floats, Pose
from conegrad_simulation.scene.world import World

Singles = npt.NDArray[np.float32]

CELL = 16  # [px] between exactly computed rays; the others are interpolated


@dataclass(frozen=True)
class View:
    """A camera model and the transform ``camera_from_map`` ``(4, 4)`` into its optical frame."""

    model: CameraModel
    camera_from_map: Floats

    @property
    def position(self) -> Floats:
        """``(3,)`` place of the camera in the map [m]."""
        return np.asarray(-self.camera_from_map[:3, :3].T @ self.camera_from_map[:3, 3])

    @property
    def heading(self) -> float:
        """Direction of the optical axis in the map [rad]."""
        forward = self.camera_from_map[2, :3]
        return math.atan2(forward[1], forward[0])

    @property
    def focal(self) -> float:
        """Horizontal focal length [px]."""
        return float(self.model.intrinsics[0, 0])

    def depths(self, points: Floats) -> Floats:
        """``(N,)`` distance of ``(N, 3)`` map points along the optical axis [m]."""
        return np.asarray(points @ self.camera_from_map[2, :3] + self.camera_from_map[2, 3])

    def project(self, points: Floats) -> tuple[Singles, npt.NDArray[np.bool_]]:
        """``(N, 2)`` pixels of ``(N, 3)`` map points and whether each is in front."""
        pixels, visible = project(
            torch.from_numpy(points.astype(np.float32)),
            torch.from_numpy(self.camera_from_map.astype(np.float32)),
            self.model,
        )
        return pixels.numpy(), visible.numpy()

    def coarse_directions(self) -> Singles:
        """``(h, w, 3)`` map directions of a grid of rays, :data:`CELL` px apart.

        The grid reaches one cell beyond each border, see :func:`to_full_size`.
        """
        rays = _coarse_rays(_key(self.model))
        return np.asarray(rays @ self.camera_from_map[:3, :3].astype(np.float32))


def view_from_pose(
    model: CameraModel, mounting: Mounting, pose: Pose, world: World | None = None
) -> View:
    """View of a mounted camera; a world adds the car's attitude and the camera's jitter."""
    base_from_body = mounting.base_from_sensor()
    map_from_base = pose_matrix(*torch.tensor(pose, dtype=torch.float64))
    if world is not None:
        map_from_base = map_from_base @ _turn(world.vehicle_roll, world.vehicle_pitch, 0.0)
        base_from_body = base_from_body @ _turn(*world.camera_jitter)
    camera_from_map = optical_from_body(torch.float64) @ rigid_inverse(
        map_from_base @ base_from_body
    )
    return View(model, camera_from_map.numpy())


def to_full_size(coarse: Singles, width: int, height: int) -> Singles:
    """Bilinear interpolation of a grid of :meth:`View.coarse_directions` to every pixel."""
    rows, columns = coarse.shape[:2]
    fine = cv2.resize(coarse, (columns * CELL, rows * CELL), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[CELL : CELL + height, CELL : CELL + width], dtype=np.float32)


def _turn(roll: float, pitch: float, yaw: float) -> torch.Tensor:
    angles = torch.tensor([roll, pitch, yaw], dtype=torch.float64)
    return mounting_matrix(torch.zeros(3, dtype=torch.float64), *angles)


class _ModelKey(NamedTuple):
    """A camera model that can be hashed."""

    width: int
    height: int
    distortion_model: str
    intrinsics: tuple[float, ...]
    distortion: tuple[float, ...]


def _key(model: CameraModel) -> _ModelKey:
    numbers = (tuple(model.intrinsics.flatten().tolist()), tuple(model.distortion.tolist()))
    return _ModelKey(model.width, model.height, model.distortion_model, *numbers)


@lru_cache(maxsize=2048)
def _coarse_rays(key: _ModelKey) -> Singles:
    width, height = key.width, key.height
    intrinsics = torch.tensor(key.intrinsics).reshape(3, 3)
    distortion = torch.tensor(key.distortion)
    model = CameraModel(width, height, intrinsics, distortion, key.distortion_model)
    # Centres of the cells, as cv2.resize places them.
    u = (torch.arange(-1, -(-width // CELL) + 1) + 0.5) * CELL - 0.5
    v = (torch.arange(-1, -(-height // CELL) + 1) + 0.5) * CELL - 0.5
    grid = torch.stack(torch.meshgrid(u, v, indexing="xy"), dim=-1)
    ideal = undistort_pixels(grid.reshape(-1, 2), model).reshape(len(v), len(u), 2)
    rays = torch.cat([ideal, torch.ones(len(v), len(u), 1)], dim=-1)
    return np.asarray(rays.numpy(), dtype=np.float32)
