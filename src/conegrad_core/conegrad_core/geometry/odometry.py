"""Planar poses over time: where the car was at a stamp, and how it moved between two."""

import bisect
import logging
import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.geometry.transforms import pose_matrix
from conegrad_core.shapes import check_shape

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

MAX_SPEED = 150.0  # [m/s], no car is faster
MAX_SHIFT = 3.0  # [m] that a pose may move at any speed: stamps jitter, localisation corrects
SAID_FOR = 1_000_000_000  # [ns] between two log lines about jumps
REACH_NS = 150_000_000  # [ns] beyond the newest pose that a car's motion is carried on
BASIS_NS = 40_000_000  # [ns] of poses that tell the motion which is carried on; less is noise
STEP = 0.01  # [s] between the poses of a path; a car's motion is even for that long


class Pose2(NamedTuple):
    """Planar pose ``parent_from_child``.

    Attributes:
        x: of the child's origin in the parent frame [m].
        y: likewise [m].
        yaw: heading of the child, counter-clockwise [rad].
    """

    x: float
    y: float
    yaw: float


def relative_pose(parent_from_a: Pose2, parent_from_b: Pose2) -> Pose2:
    """``a_from_b`` of two poses in one parent frame; yaw in [-pi, pi]."""
    dx, dy = parent_from_b.x - parent_from_a.x, parent_from_b.y - parent_from_a.y
    cos, sin = math.cos(parent_from_a.yaw), math.sin(parent_from_a.yaw)
    turn = parent_from_b.yaw - parent_from_a.yaw
    return Pose2(cos * dx + sin * dy, cos * dy - sin * dx, math.remainder(turn, math.tau))


class Path2(NamedTuple):
    """How the car moved around a stamp.

    Attributes:
        offsets: ``(K,)`` times after the stamp, rising [s].
        poses: ``(K, 3)`` ``base_at_stamp_from_base_at_offset``: x, y [m], yaw [rad].
    """

    offsets: Floats
    poses: Floats


PoseAt = Callable[[int], "Pose2 | None"]


def path_around(pose_at: PoseAt, stamp_ns: int, first: float, last: float) -> Path2 | None:
    """Path of the car from ``first`` to ``last`` after a stamp [s]; None without all its poses.

    Args:
        pose_at: gives ``odom_from_base`` at a stamp [ns], None where it is not known.
        stamp_ns: poses are relative to the one at this stamp.
        first: earliest time that is needed; may be negative.
        last: latest time that is needed.
    """
    count = 1 + max(1, math.ceil((last - first) / STEP))
    offsets = np.linspace(first, last, count)
    origin = pose_at(stamp_ns)
    poses = [pose_at(stamp_ns + round(offset * 1e9)) for offset in offsets]
    if origin is None or any(pose is None for pose in poses):
        return None
    return Path2(offsets, np.array([relative_pose(origin, pose) for pose in poses if pose]))


def sensor_motion(motion: Pose2, base_from_sensor: Tensor) -> Tensor:
    """Ego-motion of a sensor, ``(4, 4)``, from that of the base it is mounted on.

    Args:
        motion: ``base_at_one_stamp_from_base_at_another``.
        base_from_sensor: ``(4, 4)`` mounting of the sensor.

    Raises:
        ValueError: if ``base_from_sensor`` has another shape.
    """
    check_shape(base_from_sensor, 4, 4, name="base_from_sensor")
    cos, sin = math.cos(motion.yaw), math.sin(motion.yaw)
    of_base = torch.tensor(
        [[cos, -sin, 0, motion.x], [sin, cos, 0, motion.y], [0, 0, 1, 0], [0, 0, 0, 1]],
        dtype=torch.float64,
    )
    return _of_sensor(of_base, base_from_sensor).to(base_from_sensor)


def sensor_poses(poses: Floats, base_from_sensor: Tensor) -> Floats:
    """As :func:`sensor_motion` for ``(K, 3)`` motions of the base; planar, ``(K, 3)`` as well.

    Raises:
        ValueError: if ``base_from_sensor`` has another shape.
    """
    check_shape(base_from_sensor, 4, 4, name="base_from_sensor")
    of_sensor = _of_sensor(pose_matrix(*torch.from_numpy(poses).unbind(-1)), base_from_sensor)
    yaw = torch.atan2(of_sensor[:, 1, 0], of_sensor[:, 0, 0])
    planar = torch.stack([of_sensor[:, 0, 3], of_sensor[:, 1, 3], yaw], dim=-1)
    return planar.detach().numpy()


def _of_sensor(of_base: Tensor, base_from_sensor: Tensor) -> Tensor:
    mounting = base_from_sensor.cpu().double()
    of_sensor: Tensor = torch.linalg.solve(mounting.expand_as(of_base), of_base @ mounting)
    return of_sensor


class OdometryBuffer:
    """The last poses by stamp, interpolated; holds at most ``size`` of them.

    A pose that no car reaches from the one before has another origin: nothing that was held can be
    compared with it, so it begins anew.

    Args:
        size: of the buffer.
        max_speed: of a car, in the units of the poses per second.

    Attributes:
        jumps: number of such poses so far.
        origin: number of times that all poses were forgotten; only poses under one number can be
            compared with each other.
    """

    def __init__(self, size: int, max_speed: float = MAX_SPEED) -> None:
        self._stamps: deque[int] = deque(maxlen=size)
        self._poses: deque[Pose2] = deque(maxlen=size)
        self._max_speed, self._said_ns = max_speed, -SAID_FOR
        self.jumps = self.origin = 0

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest pose."""
        return self._stamps[-1] if self._stamps else None

    def add(self, stamp_ns: int, pose: Pose2) -> None:
        """Keep a pose; stamps must rise.

        Raises:
            ValueError: if the stamp is not after the newest one, or the pose not finite.
        """
        if self._stamps and stamp_ns <= self._stamps[-1]:
            raise ValueError(f"odometry stamp is {stamp_ns} ns, expected above {self._stamps[-1]}")
        if not all(math.isfinite(value) for value in pose):
            raise ValueError(f"odometry is {tuple(pose)}, expected finite values")
        if self._stamps:
            self._check_jump(stamp_ns, pose)
        self._stamps.append(stamp_ns)
        self._poses.append(pose)

    def _check_jump(self, stamp_ns: int, pose: Pose2) -> None:
        before, seconds = self._poses[-1], (stamp_ns - self._stamps[-1]) / 1e9
        distance = math.hypot(pose.x - before.x, pose.y - before.y)
        if distance <= MAX_SHIFT + self._max_speed * seconds:
            return
        self.clear()
        self.jumps += 1
        if stamp_ns - self._said_ns >= SAID_FOR:
            self._said_ns = stamp_ns
            logger.warning("odometry jumped %.4g m in %.3f s: begun anew", distance, seconds)

    def clear(self) -> None:
        """Forget all poses."""
        self.origin += 1
        self._stamps.clear()
        self._poses.clear()

    def at(self, stamp_ns: int) -> Pose2 | None:
        """Pose at a stamp, interpolated; None outside the stamps held."""
        if not self._stamps or not self._stamps[0] <= stamp_ns <= self._stamps[-1]:
            return None
        after = bisect.bisect_left(self._stamps, stamp_ns)
        if self._stamps[after] == stamp_ns:
            return self._poses[after]
        before = after - 1
        span = self._stamps[after] - self._stamps[before]
        share = (stamp_ns - self._stamps[before]) / span
        a, b = self._poses[before], self._poses[after]
        turn = math.remainder(b.yaw - a.yaw, math.tau)
        return Pose2(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), a.yaw + share * turn)

    def near(self, stamp_ns: int) -> Pose2 | None:
        """Pose at a stamp; up to :data:`REACH_NS` after the newest one the motion is carried on."""
        newest = self.newest_ns
        if newest is None or not newest < stamp_ns <= newest + REACH_NS:
            return self.at(stamp_ns)
        basis = next((s for s in reversed(self._stamps) if s <= newest - BASIS_NS), self._stamps[0])
        if basis == newest:
            return None
        before, now = self.at(basis), self._poses[-1]
        if before is None:
            return None
        share = (stamp_ns - newest) / (newest - basis)
        turn = math.remainder(now.yaw - before.yaw, math.tau)
        dx, dy = now.x - before.x, now.y - before.y
        return Pose2(now.x + share * dx, now.y + share * dy, now.yaw + share * turn)
