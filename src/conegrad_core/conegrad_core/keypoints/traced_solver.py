"""The position solver without gradient, several times faster: its operations recorded once."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from conegrad_core.camera.image import Detections
from conegrad_core.cones import ConePositions
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, undistort_pixels
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver import check_rows, solve_rays
from conegrad_core.keypoints.solver_scalars import SolverScalars
from conegrad_core.recorded_graph import record

MAX_STRUCTURES = 8  # torch never frees a recording; beyond, the latest is recorded anew


class TracedSolver:
    """Runs :func:`solve_positions` with scalars as they are now: same operations, same numbers.

    The numbers of a calibration are inputs of the recording; only another image size, or a LiDAR
    that hangs the other way up, is recorded anew.

    Args:
        scalars: later changes do not count.
    """

    def __init__(self, scalars: SolverScalars) -> None:
        self._scalars = scalars
        self._graphs: dict[tuple[Any, ...], Any] = {}

    @torch.inference_mode()
    def __call__(
        self, keypoints: Keypoints, detections: Detections, calibration: Calibration
    ) -> ConePositions:
        """As :func:`solve_positions`; the results have no gradient."""
        check_rows(keypoints, detections)
        camera = calibration.camera
        geometry = (
            camera.intrinsics,
            calibration.camera_from_lidar,
            calibration.camera_from_lidar.new_tensor(calibration.lidar_height),
        )
        rays = undistort_pixels(keypoints.positions, camera)
        inputs = (*keypoints, rays, *detections, *geometry)
        types = (value.dtype for value in inputs)
        structure = (camera.width, camera.height, calibration.up, *types)
        if structure not in self._graphs:
            if len(self._graphs) >= MAX_STRUCTURES:
                self._graphs.popitem()
            solver = _PlainSolver(self._scalars, camera, calibration.up)
            self._graphs[structure] = record(solver, inputs)
        return ConePositions(*self._graphs[structure](*inputs))


class _PlainSolver(nn.Module):
    """The solver for one image size and mounting, from plain tensors to plain tensors."""

    def __init__(self, scalars: SolverScalars, kind: CameraModel, up: float) -> None:
        super().__init__()
        self.scalars = scalars
        self._kind = kind
        self._up = up

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """To the fields of ConePositions.

        Args:
            inputs: fields of Keypoints, their rays, fields of Detections; intrinsics,
                ``camera_from_lidar``, height of the LiDAR.
        """
        positions, deviations, rays, boxes, logits, intrinsics, camera_from_lidar, height = inputs
        calibration = Calibration(
            self._kind._replace(intrinsics=intrinsics),
            camera_from_lidar,
            cast(float, height),
            self._up,
        )
        keypoints, detections = Keypoints(positions, deviations), Detections(boxes, logits)
        return tuple(solve_rays(keypoints, rays, detections, calibration, self.scalars()))
