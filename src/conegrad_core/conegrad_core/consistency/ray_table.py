"""Rays through the pixels of a camera from a table: undistorting anew takes longer than a check."""

import numpy as np
import torch

from conegrad_core.consistency.frame import Floats
from conegrad_core.geometry.camera import CameraModel, undistort_pixels

CELL = 16  # [px] of the table, between whose corners rays are interpolated: below 0.05 degrees


class RayTable:
    """Ideal coordinates of pixels of one camera.

    Args:
        camera: intrinsics and distortion.
    """

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        columns, rows = (size // CELL + 2 for size in (camera.width, camera.height))
        v, u = np.mgrid[:rows, :columns].astype(np.float32) * CELL
        pixels = torch.from_numpy(np.stack([u, v], axis=-1).reshape(-1, 2))
        found = undistort_pixels(pixels, camera).detach().double().numpy()
        self._table = found.reshape(rows, columns, 2)

    def __call__(self, pixels: Floats) -> Floats:
        """``(N, 2)`` coordinates x/z, y/z of the rays through ``(N, 2)`` pixels."""
        rows, columns = self._table.shape[:2]
        at = np.clip(pixels / CELL, 0.0, np.array([columns - 1.001, rows - 1.001]))
        low = at.astype(np.int64)
        share = at - low
        u, v = low.T
        right, down = share[:, :1], share[:, 1:]
        table = self._table
        upper = table[v, u] * (1 - right) + table[v, u + 1] * right
        lower = table[v + 1, u] * (1 - right) + table[v + 1, u + 1] * right
        found: Floats = upper * (1 - down) + lower * down
        return found
