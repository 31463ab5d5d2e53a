"""Where the car was at any time of a drive."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse
from conegrad_core.timing.pairing import Pairing
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.recording.base_odometry import (
    BASE_FRAME,
    BaseOdometry,
    NewFrameError,
    OdometryError,
)

Floats = npt.NDArray[np.float64]

EDGE_NS = 100_000_000  # [ns] beyond the first and last pose that still counts, at constant pose


@dataclass(frozen=True)
class Odometry:
    """Planar poses of ``base_link`` in the odometry frame.

    Attributes:
        stamps_ns: ``(N,)`` rising.
        poses: ``(N, 3)`` x, y [m] and yaw [rad], unwrapped.
        fault: why there are none, to follow "odometry is needed, and".
    """

    stamps_ns: npt.NDArray[np.int64]
    poses: Floats
    fault: str = "the bag has none"

    def at(self, stamp_ns: int) -> Floats | None:
        """``(3,)`` pose, linear between neighbours; None beyond the recording."""
        if not len(self.stamps_ns):
            return None
        first, last = int(self.stamps_ns[0]), int(self.stamps_ns[-1])
        if not first - EDGE_NS <= stamp_ns <= last + EDGE_NS:
            return None
        # Relative to the first stamp: float64 holds nanoseconds since 1970 to 0.2 us only.
        offsets = (self.stamps_ns - first).astype(np.float64)
        return np.array([np.interp(stamp_ns - first, offsets, axis) for axis in self.poses.T])

    def pose_at(self, stamp_ns: int) -> Pose2 | None:
        """The same as a planar pose."""
        pose = self.at(stamp_ns)
        return None if pose is None else Pose2(*pose.tolist())

    def base_at(self, stamp_ns: int) -> Tensor | None:
        """``(4, 4)`` float64 ``odom_from_base``; None beyond the recording."""
        pose = self.at(stamp_ns)
        if pose is None:
            return None
        return pose_matrix(*(torch.tensor(float(value), dtype=torch.float64) for value in pose))

    def motion(self, to_ns: int, from_ns: int) -> Tensor | None:
        """``(4, 4)`` float64 ``base_at_to_from_base_at_from``; None without both poses."""
        if to_ns == from_ns:
            return torch.eye(4, dtype=torch.float64)
        odom_from_old, odom_from_new = self.base_at(from_ns), self.base_at(to_ns)
        if odom_from_old is None or odom_from_new is None:
            return None
        return rigid_inverse(odom_from_new) @ odom_from_old


class LidarMotion(NamedTuple):
    """Where the LiDAR was at any time of a drive.

    Attributes:
        odometry: poses of the base.
        base_from_lidar: ``(4, 4)`` mounting of the LiDAR; None where it is not known.
    """

    odometry: Odometry
    base_from_lidar: Tensor | None

    def lidar_motion(self, to_ns: int, from_ns: int) -> Tensor | None:
        """``(4, 4)`` ``lidar_at_to_from_lidar_at_from``; None without odometry and mounting."""
        if to_ns == from_ns:
            return torch.eye(4, dtype=torch.float64)
        motion = self.odometry.motion(to_ns, from_ns)
        if motion is None or self.base_from_lidar is None:
            return None
        base_from_lidar = self.base_from_lidar.double()
        moved: Tensor = rigid_inverse(base_from_lidar) @ motion @ base_from_lidar
        return moved

    def lidar_pose(self, stamp_ns: int) -> Tensor | None:
        """``(4, 4)`` ``odom_from_lidar``; None without odometry and mounting."""
        odom_from_base = self.odometry.base_at(stamp_ns)
        if odom_from_base is None or self.base_from_lidar is None:
            return None
        return odom_from_base @ self.base_from_lidar.double()


class OdometryReader:
    """Collects the poses of the base from the odometry messages of a bag.

    Args:
        bodies: places of the bodies of the car, of which the poses may be.
        topic: of the messages, for people.
        pairing: is given the same poses.

    Attributes:
        base_frame: frame of the base: ``base_link``, or the body of the messages where no
            transform names ``base_link``.
        notes: how the poses were read.
        faults: what could not be used.
    """

    def __init__(self, bodies: StaticFrames, topic: str, pairing: Pairing | None = None) -> None:
        self._bodies, self._topic, self._pairing = bodies, topic, pairing
        self._base: BaseOdometry | None = None
        self._rows: list[tuple[int, Pose2]] = []
        self._fault = ""
        self._is_refused = False
        self.base_frame = BASE_FRAME
        self.notes: list[str] = []
        self.faults: list[str] = []

    def add(self, msg: Any) -> None:
        """Take one nav_msgs/Odometry; the first one that cannot be used is noted."""
        base = self._base = self._base or self._base_of(msg)
        try:
            stamp_ns, pose = stamp_ns_from_msg(msg.header.stamp), base.pose(msg)
        except OdometryError as error:
            if self._pairing is not None and isinstance(error, NewFrameError):
                self._pairing.forget_odometry()
            if not self._fault:
                self._fault = f"that on {self._topic} cannot be used: {error}"
                self.faults.append(f"no odometry: {self._fault}")
        except DecodeError as error:
            if not self._is_refused:
                self.faults.append(f"{self._topic}: skipped a pose: {error}")
            self._is_refused = True
        else:
            self._rows.append((stamp_ns, pose))
            if self._pairing is not None:
                self._pairing.add_odometry(stamp_ns, pose)

    def _base_of(self, msg: Any) -> BaseOdometry:
        body = msg.child_frame_id.lstrip("/")
        if BASE_FRAME not in self._bodies.names and body in self._bodies.names:
            self.base_frame = body
            self.notes.append(
                f"{self._topic}: {BASE_FRAME} is not in tf_static, {body} is taken as base"
            )
        return BaseOdometry.of_frames(self._bodies, self.base_frame, self.notes.append)

    def result(self) -> Odometry:
        """All poses; none where the messages share a fault."""
        if self._fault:
            return dataclasses.replace(odometry([]), fault=self._fault)
        return odometry(self._rows)


def odometry(stamped_poses: Sequence[tuple[int, tuple[float, float, float]]]) -> Odometry:
    """Sort ``(stamp, (x, y, yaw))`` rows by stamp; of equal stamps the last counts."""
    rows = dict(sorted(stamped_poses, key=lambda row: row[0]))
    poses = np.array(list(rows.values()), dtype=np.float64).reshape(-1, 3)
    poses[:, 2] = np.unwrap(poses[:, 2])
    return Odometry(np.array(list(rows), dtype=np.int64), poses)
