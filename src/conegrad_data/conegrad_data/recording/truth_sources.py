"""Targets of a drive: its truth topic, or a surveyed map of the track and the odometry."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from conegrad_core.cones import (
    CONE_HEIGHTS,
    CONE_WIDTHS,
    LABEL_VALUES_PER_CONE,
    ConeClass,
    TrueCones,
)
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import project
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_data.errors import ReplayError
from conegrad_data.recording.bag_index import BagIndex
from conegrad_data.recording.truth import MapTruth, RecordedTruth, SensorViews, Truth

CAMERA_RANGE = 25.0  # [m], a small cone is 8 px high there at 640 px over 60 degrees
HIDDEN_SHARE = 0.7  # of a cone's outline behind one other cone, from which it counts as unseen
ScanView = tuple[float, float, float]  # first and last angle [rad], longest range [m]


def recorded_targets(index: BagIndex, load: Callable[[int], TrueCones]) -> Truth:
    """Truth of the bag's own topic, carried along by odometry between its stamps.

    Raises:
        ReplayError: if the bag has no truth topic.
    """
    if not index.truth:
        raise ReplayError(
            f"{index.path} holds no truth; give a map of its cones (x, y, colour) as track"
        )
    return RecordedTruth(index.truth, load, lambda to, from_: _lidar_motion(index, to, from_))


def map_targets(index: BagIndex, track: Path, view: ScanView) -> Truth:
    """Truth of a map in the odometry frame: what the sensors could see of it at each stamp.

    Raises:
        ReplayError: if the bag has no odometry.
        ValueError: if the file is no map of cones.
    """
    from conegrad_data.cone_map.cone_map_csv import read_cones

    if not len(index.odometry.stamps_ns):
        raise ReplayError(f"{index.path}: a track map needs odometry, and {index.odometry.fault}")
    positions, classes = read_cones(track)
    calibration = index.calibration
    low, high, longest = view
    views = SensorViews(
        ground_z=calibration.ground_z,
        angle_low=low,
        angle_high=high,
        lidar_range=longest if math.isfinite(longest) else CAMERA_RANGE,
        camera=calibration.camera,
        camera_from_lidar=calibration.camera_from_lidar,
        camera_range=CAMERA_RANGE,
    )
    truth = MapTruth(positions, classes, lambda stamp: _lidar_pose(index, stamp), views)
    return UnhiddenTruth(truth, calibration)


class NoTruth:
    """Truth of drives that are only looked at: no cones."""

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones:
        """No cones, whatever the stamp."""
        nothing = torch.zeros(0, dtype=torch.bool)
        return TrueCones(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), nothing, nothing)


class UnhiddenTruth:
    """Truth of a map whose cones hide each other from the camera, too."""

    def __init__(self, truth: MapTruth, calibration: Calibration) -> None:
        self._truth, self._calibration = truth, calibration

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones | None:
        """Truth in the LiDAR frame of that stamp, with the camera's marks of an image."""
        truth = self._truth.at(stamp_ns)
        if truth is None:
            return None
        # As for every truth, the scan's marks do where the pose at the image is not known.
        at_image = (self._truth.at(image_ns) if image_ns is not None else None) or truth
        seen = at_image.visible_camera & ~hidden_from_camera(at_image, self._calibration)
        positions = truth.positions.float()
        return truth._replace(positions=positions, visible_camera=seen)


def hidden_from_camera(truth: TrueCones, calibration: Calibration) -> Tensor:
    """``(N,)`` mask of cones whose outline lies mostly behind one nearer cone."""
    boxes, depth = _outlines(truth, calibration)
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6).prod(-1)
    nearer = (depth[None] < depth[:, None]) & (depth[None] > 0)
    # A cone fills two thirds of its box, so a covered box must be nearly whole.
    return (nearer & (overlap / area[:, None] > HIDDEN_SHARE)).any(dim=1)


def label_values(truths: Iterable[TrueCones]) -> int:
    """Numbers a person had to measure: x, y and colour of every cone that some sensor sees."""
    return LABEL_VALUES_PER_CONE * sum(
        int((truth.visible_camera | truth.visible_lidar).sum()) for truth in truths
    )


def _outlines(truth: TrueCones, calibration: Calibration) -> tuple[Tensor, Tensor]:
    """Boxes ``(N, 4)`` of the upright cones in the image [px] and their depth ``(N,)`` [m]."""
    small = ConeClass.BLUE
    heights = torch.tensor((*CONE_HEIGHTS, CONE_HEIGHTS[small]))[truth.classes]
    widths = torch.tensor((*CONE_WIDTHS, CONE_WIDTHS[small]))[truth.classes]
    foot = torch.nn.functional.pad(truth.positions.float(), (0, 1), value=calibration.ground_z)
    top = foot + torch.nn.functional.pad(calibration.up * heights[:, None], (2, 0))
    camera_from_lidar = calibration.camera_from_lidar.float()
    low, _ = project(foot, camera_from_lidar, calibration.camera)
    high, _ = project(top, camera_from_lidar, calibration.camera)
    depth = (foot @ camera_from_lidar[:3, :3].mT + camera_from_lidar[:3, 3])[:, 2]
    half = 0.5 * widths * calibration.camera.intrinsics[0, 0] / depth.clamp(min=0.1)
    boxes = torch.stack([low[:, 0] - half, high[:, 1], low[:, 0] + half, low[:, 1]], dim=-1)
    return boxes, depth


def _lidar_motion(index: BagIndex, to_ns: int, from_ns: int) -> Tensor | None:
    motion = index.odometry.motion(to_ns, from_ns)
    if motion is None:
        return None
    mounting: Any = index.base_from_lidar.double()
    moved: Tensor = rigid_inverse(mounting) @ motion @ mounting
    return moved


def _lidar_pose(index: BagIndex, stamp_ns: int) -> Tensor | None:
    odom_from_base = index.odometry.base_at(stamp_ns)
    return None if odom_from_base is None else odom_from_base @ index.base_from_lidar.double()
