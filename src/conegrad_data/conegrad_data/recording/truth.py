"""Truth at any stamp of a drive: recorded, moved along, or from a map of the track."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.cones import CONE_WIDTHS, ConeClass, TrueCones
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_data.recording.motion import moved_truth

MAX_AGE_NS = 500_000_000  # [ns], truth further away in time is not carried along
STILL_NS = 5_000_000  # [ns], within it the car counts as standing when there is no odometry
SAME_CONE = 0.5  # [m] between the places of one cone in two truths; cones stand further apart


class Truth(Protocol):
    """Gives the truth of any stamp."""

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones | None:
        """Truth in the LiDAR frame of that stamp; None where none can be had.

        With the stamp of an image, ``visible_camera`` is what that image could show: at 20 m/s it
        shows other cones than the one before.
        """


LidarMotion = Callable[[int, int], Tensor | None]  # (to_ns, from_ns) -> (4, 4) lidar_from_lidar


@dataclass(frozen=True)
class SensorViews:
    """What the sensors can see of a map, in the frame of the LiDAR.

    Attributes:
        ground_z: of the ground in the frame of the LiDAR [m].
        angle_low: first angle of the scan [rad].
        angle_high: last angle of the scan [rad].
        lidar_range: longest range of the scan [m].
        camera: None where there is no camera, or its place is unknown.
        camera_from_lidar: ``(4, 4)``, with ``camera``.
        camera_range: farthest cone that the camera is asked for [m].
    """

    ground_z: float
    angle_low: float
    angle_high: float
    lidar_range: float
    camera: CameraModel | None = None
    camera_from_lidar: Tensor | None = None
    camera_range: float = 25.0


class RecordedTruth:
    """Truth of a topic: of the very stamp, else the nearest in time moved by odometry."""

    def __init__(
        self,
        stamps_ns: Iterable[int],
        load: Callable[[int], TrueCones],
        lidar_motion: LidarMotion,
    ) -> None:
        """Remember where the truth is; it is read when asked for.

        Args:
            stamps_ns: stamps that have truth.
            load: gives the truth of one of them, in the LiDAR frame of that stamp.
            lidar_motion: gives ``lidar_at_to_from_lidar_at_from``, None where it is unknown.
        """
        self._stamps = np.array(sorted(set(stamps_ns)), dtype=np.int64)
        self._load = load
        self._lidar_motion = lidar_motion

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones | None:
        """Truth in the LiDAR frame of that stamp, as :class:`Truth` says."""
        truth = self._at(stamp_ns)
        if truth is None or image_ns is None or image_ns == stamp_ns:
            return truth
        at_image, motion = self._at(image_ns), self._lidar_motion(stamp_ns, image_ns)
        if at_image is None or motion is None:
            return truth
        return _shown_in(moved_truth(at_image, motion), truth)

    def _at(self, stamp_ns: int) -> TrueCones | None:
        if not len(self._stamps):
            return None
        nearest = self._nearest(stamp_ns)
        if nearest == stamp_ns:
            return self._load(nearest)
        if abs(nearest - stamp_ns) > MAX_AGE_NS:
            return None
        motion = self._lidar_motion(stamp_ns, nearest)
        if motion is None:
            return self._load(nearest) if abs(nearest - stamp_ns) <= STILL_NS else None
        return moved_truth(self._load(nearest), motion)

    def _nearest(self, stamp_ns: int) -> int:
        after = int(np.searchsorted(self._stamps, stamp_ns))
        around = self._stamps[max(after - 1, 0) : after + 1]
        return int(around[np.abs(around - stamp_ns).argmin()])


def _shown_in(at_image: TrueCones, truth: TrueCones) -> TrueCones:
    """Truth with the camera's marks of the truth of an image in the same frame, by place."""
    if not len(at_image.positions) or not len(truth.positions):
        return truth
    apart, nearest = torch.cdist(truth.positions.double(), at_image.positions.double()).min(dim=1)
    seen = torch.where(apart < SAME_CONE, at_image.visible_camera[nearest], truth.visible_camera)
    return truth._replace(visible_camera=seen)


class MapTruth:
    """Truth of a map of cones and the pose of the car; who could see a cone is worked out."""

    def __init__(
        self,
        positions: npt.NDArray[np.float64],
        classes: npt.NDArray[np.int64],
        lidar_pose: Callable[[int], Tensor | None],
        views: SensorViews,
    ) -> None:
        """Keep the map.

        Args:
            positions: ``(N, 2)`` cones in the odometry frame [m].
            classes: ``(N,)`` :class:`~conegrad_core.cones.ConeClass`.
            lidar_pose: gives ``(4, 4)`` ``odom_from_lidar`` at a stamp [ns].
            views: what the sensors can see.
        """
        self._positions = torch.from_numpy(np.asarray(positions, dtype=np.float64))
        self._classes = torch.from_numpy(np.asarray(classes, dtype=np.int64))
        self._lidar_pose = lidar_pose
        self._views = views

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones | None:
        """Truth in the LiDAR frame of that stamp; None where the pose is unknown."""
        truth = self._at(stamp_ns)
        at_image = None if image_ns is None else self._at(image_ns)
        if truth is None or at_image is None:
            return truth
        return truth._replace(visible_camera=at_image.visible_camera)

    def _at(self, stamp_ns: int) -> TrueCones | None:
        odom_from_lidar = self._lidar_pose(stamp_ns)
        if odom_from_lidar is None:
            return None
        everywhere = torch.zeros(len(self._positions), dtype=torch.bool)
        truth = TrueCones(self._positions, self._classes, everywhere, everywhere)
        return with_visibility(moved_truth(truth, rigid_inverse(odom_from_lidar)), self._views)


def with_visibility(truth: TrueCones, views: SensorViews) -> TrueCones:
    """Truth with the marks of who could see each cone; only cones hide cones here."""
    distances, angles = truth.positions.norm(dim=-1), torch.atan2(*truth.positions.mT.flip(0))
    in_scan = (angles >= views.angle_low) & (angles <= views.angle_high)
    visible_lidar = in_scan & (distances <= views.lidar_range) & ~_hidden(truth)
    return truth._replace(
        visible_lidar=visible_lidar, visible_camera=_in_picture(truth.positions, views)
    )


def _hidden(truth: TrueCones) -> Tensor:
    """Cones whose centre lies behind a nearer cone, seen from the LiDAR."""
    widths = torch.tensor((*CONE_WIDTHS, CONE_WIDTHS[ConeClass.BLUE]), dtype=torch.float64)
    distances = truth.positions.double().norm(dim=-1).clamp(min=1e-3)
    angles = torch.atan2(truth.positions[:, 1], truth.positions[:, 0]).double()
    apart = (angles[:, None] - angles[None] + math.pi) % (2 * math.pi) - math.pi
    covers = torch.atan2(widths[truth.classes] / 2, distances)[None]
    hidden: Tensor = ((apart.abs() < covers) & (distances[None] < distances[:, None])).any(dim=1)
    return hidden


def _in_picture(positions: Tensor, views: SensorViews) -> Tensor:
    if views.camera is None or views.camera_from_lidar is None:
        return torch.zeros(len(positions), dtype=torch.bool)
    ground = torch.full((len(positions), 1), views.ground_z, dtype=torch.float64)
    feet = torch.cat([positions.double(), ground], dim=-1)
    camera = views.camera._replace(
        intrinsics=views.camera.intrinsics.double(), distortion=views.camera.distortion.double()
    )
    pixels, in_front = project(feet, views.camera_from_lidar.double(), camera)
    size = torch.tensor([camera.width, camera.height], dtype=torch.float64)
    inside = ((pixels >= 0) & (pixels < size)).all(dim=-1)
    seen: Tensor = inside & in_front & (positions.norm(dim=-1) <= views.camera_range)
    return seen
