"""Camera against LiDAR: cones that both should see, and how far apart they see them."""

import math
from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.consistency.frame import Floats, ObservedFrame
from conegrad_core.consistency.ray_table import RayTable
from conegrad_core.geometry.transforms import rigid_inverse

NEAREST = 1.5  # [m]; nearer cones are cut by the border of the image
LARGEST_OFFSET = 12.0  # [degrees] of bearing that is searched for
STEP = 0.5  # [degrees]
GATE = 1.2  # [degrees] between one cone's bearings of both sensors
RANGE_GATE = 0.45  # between the logarithms of its ranges
GAP = 0.3  # [m] between two cones of a scan
WIDEST = 0.5  # [m]; what is wider is not one cone
MARGIN = 0.04  # share of the image beside its borders that is left out
LEAST_CONES = 6  # in the window, for a share to mean something

Ints = npt.NDArray[np.int64]
OFFSETS = np.arange(-LARGEST_OFFSET, LARGEST_OFFSET + STEP / 2, STEP)


class Agreement(NamedTuple):
    """Cones of one frame, or of several together.

    Attributes:
        camera: number of the camera's near cones in view of the LiDAR.
        lidar: number of the LiDAR's near cones in view of the camera.
        both: number of those that both have.
        bearings: ``(both,)`` bearing of the camera's minus that of the LiDAR's [degrees].
    """

    camera: int
    lidar: int
    both: int
    bearings: Floats

    @property
    def camera_share(self) -> float:
        """Share of the LiDAR's cones that the camera has; 1 where there are too few to tell."""
        return self.both / self.lidar if self.lidar >= LEAST_CONES else 1.0

    @property
    def lidar_share(self) -> float:
        """Share of the camera's cones that the LiDAR has; 1 where there are too few to tell."""
        return self.both / self.camera if self.camera >= LEAST_CONES else 1.0

    @property
    def better_share(self) -> float:
        """The higher one of both shares."""
        return max(self.camera_share, self.lidar_share)

    @property
    def bearing(self) -> float:
        """Median bearing between both [degrees]; 0 where there are too few to tell."""
        return float(np.median(self.bearings)) if len(self.bearings) >= LEAST_CONES else 0.0


def together(frames: deque[Agreement]) -> Agreement:
    """Several frames as one."""
    if not frames:
        return Agreement(0, 0, 0, np.zeros(0))
    camera, lidar, both, bearings = zip(*frames, strict=True)
    return Agreement(sum(camera), sum(lidar), sum(both), np.concatenate(bearings))


def agreement(frame: ObservedFrame, rays: RayTable, range_max: float) -> Agreement | None:
    """How far the sensors of a frame agree; None where one is missing.

    Boxes are put on flat ground by their foot. Bearings are those from the camera, so that a
    cone's range does not matter to them.

    Args:
        frame: pair of an image and a scan.
        rays: of its camera.
        range_max: farther cones are left out [m].
    """
    calibration = frame.calibration
    if frame.image is None or frame.scan is None or calibration is None:
        return None
    camera_from_lidar = calibration.camera_from_lidar.detach().numpy().astype(np.float64)
    if frame.motion is not None:
        image_from_scan = rigid_inverse(torch.from_numpy(frame.motion)).numpy()
        camera_from_lidar = camera_from_lidar @ image_from_scan
    origin = _origin(camera_from_lidar)
    of_camera = _on_ground(frame.image, camera_from_lidar, calibration.ground_z, rays)
    bearings = np.arctan2(of_camera[:, 1] + origin[1], of_camera[:, 0] + origin[0])
    ranges = np.hypot(*of_camera.T)
    angles = frame.scan.angles.numpy()
    in_scan = np.mod(bearings - angles[0], math.tau) < angles[-1] - angles[0]
    of_camera = of_camera[(ranges > NEAREST) & (ranges < range_max) & in_scan]
    of_lidar = scan_cones(frame.scan.ranges.numpy(), angles, frame.scan.logits.detach().numpy())
    of_lidar = _in_view(of_lidar, camera_from_lidar, calibration.ground_z, frame, range_max)
    return _matched(of_camera, of_lidar - origin[:2])


def _on_ground(
    image: Detections, camera_from_lidar: Floats, ground: float, rays: RayTable
) -> Floats:
    """``(D, 2)`` feet of the boxes that are cones, from the camera in the axes of the LiDAR [m]."""
    boxes = image.boxes_xyxy.detach().numpy()
    is_cone = image.logits.detach().numpy().max(axis=1, initial=-np.inf) > 0
    columns = (boxes[:, 0] + boxes[:, 2]) / 2
    margin = MARGIN * rays.camera.width
    is_cone &= (columns > margin) & (columns < rays.camera.width - margin)
    feet = np.stack([columns, boxes[:, 3]], axis=1)[is_cone].astype(np.float64)
    directions = np.column_stack([rays(feet), np.ones(len(feet))]) @ camera_from_lidar[:3, :3]
    drop = ground - _origin(camera_from_lidar)[2]
    directions = directions[directions[:, 2] * drop > 1e-6]
    found: Floats = directions[:, :2] * (drop / directions[:, 2])[:, None]
    return found


def scan_cones(ranges: Floats, angles: Floats, logits: Floats) -> Floats:
    """``(S, 2)`` cones of a scan, in the frame of the LiDAR [m]."""
    beams = np.flatnonzero(np.isfinite(ranges) & (logits > 0))
    if not len(beams):
        return np.zeros((0, 2))
    r, a = ranges[beams].astype(np.float64), angles[beams].astype(np.float64)
    points = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    is_new = (np.diff(beams) > 2) | (np.hypot(*np.diff(points, axis=0).T) > GAP)
    starts = np.concatenate([[0], np.flatnonzero(is_new) + 1])
    ends = np.concatenate([starts[1:], [len(beams)]])
    widths = np.hypot(*(points[ends - 1] - points[starts]).T)
    means: Floats = np.add.reduceat(points, starts, axis=0) / (ends - starts)[:, None]
    found: Floats = means[(widths < WIDEST) & (ends - starts > 1)]
    return found


def _origin(camera_from_lidar: Floats) -> Floats:
    """``(3,)`` place of the camera in the frame of the LiDAR."""
    found: Floats = -camera_from_lidar[:3, 3] @ camera_from_lidar[:3, :3]
    return found


def _in_view(
    cones: Floats, camera_from_lidar: Floats, ground: float, frame: ObservedFrame, far: float
) -> Floats:
    """The cones whose feet the camera has to show."""
    if frame.calibration is None or not len(cones):
        return cones
    camera = frame.calibration.camera
    feet = np.column_stack([cones, np.full(len(cones), ground), np.ones(len(cones))])
    x, y, depth = (feet @ camera_from_lidar[:3].T).T
    matrix = camera.intrinsics.numpy()
    safe = np.maximum(depth, 0.1)
    u, v = matrix[0, 0] * x / safe + matrix[0, 2], matrix[1, 1] * y / safe + matrix[1, 2]
    left, top = MARGIN * camera.width, MARGIN * camera.height
    inside = (u > left) & (u < camera.width - left) & (v < camera.height - top) & (v > 0)
    ranges = np.hypot(*(cones - _origin(camera_from_lidar)[:2]).T)
    found: Floats = cones[(depth > 0.1) & inside & (ranges > NEAREST) & (ranges < far)]
    return found


def _matched(camera: Floats, lidar: Floats) -> Agreement:
    """Cones of both, as seen from the camera, at the offset of bearing that fits most of them."""
    if not len(camera) or not len(lidar):
        return Agreement(len(camera), len(lidar), 0, np.zeros(0))
    bearings = [np.degrees(np.arctan2(points[:, 1], points[:, 0])) for points in (camera, lidar)]
    ranges = [np.log(np.hypot(*points.T)) for points in (camera, lidar)]
    gaps = bearings[0][:, None] - bearings[1][None]
    fits = np.abs(ranges[0][:, None] - ranges[1][None]) < RANGE_GATE
    is_near = (np.abs(gaps[..., None] - OFFSETS) < GATE) & fits[..., None]
    counts = np.minimum(is_near.any(axis=1).sum(axis=0), is_near.any(axis=0).sum(axis=0))
    # Of equal counts the smallest offset, and no other than 0 for one cone more.
    best = int((counts - 0.05 * np.abs(OFFSETS)).argmax())
    off = np.where(fits, np.abs(gaps - OFFSETS[best]), np.inf)
    rows, columns = _mutual(off)
    kept = off[rows, columns] < GATE
    found = gaps[rows, columns][kept]
    return Agreement(len(camera), len(lidar), len(found), found)


def _mutual(costs: Floats) -> tuple[Ints, Ints]:
    """Rows and columns that are the best of each other."""
    rows = np.arange(len(costs))
    columns = costs.argmin(axis=1)
    is_mutual = costs.argmin(axis=0)[columns] == rows
    return rows[is_mutual], columns[is_mutual]
