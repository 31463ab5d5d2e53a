"""Truth at any stamp of a drive: recorded, moved along, or from a map of the track."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.mounting import ground_of
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_core.pipeline.seen_truth import seen_truth
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.cone_map.cone_map_csv import read_cones
from conegrad_data.decode import truth_from_msg
from conegrad_data.recording.motion import moved_truth
from conegrad_data.recording.odometry_track import LidarMotion
from conegrad_data.recording.scan_reading import ScanView
from conegrad_data.recording.visibility import CAMERA_RANGE, SensorViews, with_visibility

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


class SeenTruth:
    """Another truth as it counts for a pipeline with some inputs."""

    def __init__(self, truth: Truth, inputs: Iterable[str]) -> None:
        """Remember both.

        Args:
            truth: of every sensor.
            inputs: kinds of the inputs of the pipeline.
        """
        self._truth, self._inputs = truth, tuple(inputs)

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones | None:
        """Truth of that stamp, without the cones that only sensors beside the inputs could see."""
        truth = self._truth.at(stamp_ns, image_ns)
        return truth and seen_truth(truth, self._inputs)


class RecordedTruth:
    """Truth of a topic: of the very stamp, else the nearest in time moved by odometry."""

    def __init__(
        self,
        stamps_ns: Iterable[int],
        load: Callable[[int], TrueCones],
        lidar_motion: Callable[[int, int], Tensor | None],
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


class NoTruth:
    """Truth of drives that are only perceived: no cones."""

    def at(self, stamp_ns: int, image_ns: int | None = None) -> TrueCones:
        """No cones, whatever the stamp."""
        nothing = torch.zeros(0, dtype=torch.bool)
        return TrueCones(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), nothing, nothing)


def map_truth(
    track: str | Path,
    bag: Path,
    motion: LidarMotion,
    calibration: Calibration | None,
    view: ScanView | None,
) -> MapTruth:
    """Truth of a map of the cones: the one way from a map to the truth of a drive.

    Args:
        track: CSV of the cones in the frame of the odometry.
        bag: the drive, for people.
        motion: poses of the LiDAR.
        calibration: of the camera; None where there is none, or its place is unknown.
        view: of the LiDAR; None where there is none.

    Raises:
        BagError: if the drive has no odometry, or the LiDAR does not stand upright.
        FileNotFoundError: if there is no map.
        ValueError: if the file is not a map of cones.
    """
    positions, classes = read_cones(track)
    if not len(motion.odometry.stamps_ns):
        raise BagError(f"{bag}: a track map needs odometry, and {motion.odometry.fault}")
    if motion.base_from_lidar is None:
        raise BagError(
            f"{bag}: a track map needs the place of the LiDAR on the car; record /tf_static, or "
            "give a vehicle"
        )
    if view is None and calibration is None:
        raise BagError(
            f"{bag}: a track map needs the view of a sensor, and the bag has neither scans nor "
            "camera_info; give a vehicle"
        )
    try:
        ground = ground_of(motion.base_from_lidar)
    except ValueError as error:
        raise BagError(f"{bag}: {error}") from error
    low, high, longest = view or ScanView(0.0, 0.0, 0.0)
    views = SensorViews(
        ground_z=calibration.ground_z if calibration else ground.z,
        angle_low=low,
        angle_high=high,
        lidar_range=longest if math.isfinite(longest) else CAMERA_RANGE,
        camera=calibration.camera if calibration else None,
        camera_from_lidar=calibration.camera_from_lidar if calibration else None,
        up=ground.up,
    )
    return MapTruth(positions, classes, motion.lidar_pose, views)


def truth_in_frame(msg: Any, frame: str, static: StaticFrames) -> TrueCones:
    """True cones of a conegrad_msgs/TruthCones in a frame fixed to the car.

    Raises:
        BagError: if the frame of the message is not connected to it.
        DecodeError: if the message cannot be used.
    """
    truth = truth_from_msg(msg)
    if msg.header.frame_id == frame:
        return truth
    try:
        return moved_truth(truth, torch.from_numpy(static.lookup(frame, msg.header.frame_id)))
    except FrameError as error:
        raise BagError(f"truth: {error}") from error
