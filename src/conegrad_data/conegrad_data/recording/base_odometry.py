"""Where the base of the car was, by the odometry of whatever body of it a message describes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.timing.pairing import Pairing
from conegrad_data.calibration.calibration_source import CalibrationError
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.decode import (
    DecodeError,
    pose_from_msg,
    pose_matrix_from_msg,
    stamp_ns_from_msg,
)

Matrix = npt.NDArray[np.float64]

BASE_FRAME = "base_link"
MAX_LEAN = math.radians(45.0)  # of the car against its odometry; beyond it the axes are others


class OdometryError(DecodeError):
    """No pose of the base can be had of an odometry; all its messages share the fault."""


class NewFrameError(OdometryError):
    """The frame of the poses changed: earlier ones say nothing about later ones."""


class BaseOdometry:
    """Poses of the base in the frame of the odometry.

    A nav_msgs/Odometry is the pose of ``child_frame_id``, which may be any body fixed to the car:
    a camera (in its optical frame, too), an inertial unit, a LiDAR. The whole transform is moved
    to the base, and only then laid into the plane.

    Args:
        base_from: gives the ``(4, 4)`` transform ``base_from_body`` of a frame; raises FrameError
            or CalibrationError where it is not known.
        base_frame: of the base.
        tell: is given what people should know, each text once.

    Attributes:
        is_assumed: a message did not say of which body it is; it counted as the base.
    """

    def __init__(
        self,
        base_from: Callable[[str], Matrix],
        base_frame: str = BASE_FRAME,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._base_from = base_from
        self._base_frame = base_frame
        self._tell = tell
        self._told: set[str] = set()
        self._frame: str | None = None
        self.is_assumed = False

    @classmethod
    def of_frames(
        cls,
        frames: StaticFrames,
        base_frame: str = BASE_FRAME,
        tell: Callable[[str], None] | None = None,
    ) -> "BaseOdometry":
        """By fixed frames, such as those of a bag."""
        return cls(lambda body: frames.lookup(base_frame, body), base_frame, tell)

    def pose(self, msg: Any) -> Pose2:
        """Planar pose ``odom_from_base`` of a nav_msgs/Odometry.

        Raises:
            OdometryError: if the place of its body on the car is not known, or the pose is none
                of a car that stands on the ground of its frame.
            NewFrameError: if the poses before were in another frame; the next one is taken.
            DecodeError: if the pose of this message cannot be used.
        """
        body = msg.child_frame_id.lstrip("/")
        self._take_frame(msg.header.frame_id.lstrip("/"))
        if not body:
            self.is_assumed = True
            self._note(f"odom: child_frame_id is empty, taken as {self._base_frame}")
        if body in ("", self._base_frame):
            return pose_from_msg(msg)
        try:
            base_from_body = self._base_from(body)
        except (FrameError, CalibrationError) as error:
            raise OdometryError(
                f"child_frame_id is {body!r}, whose place on the car is not known: {error}"
            ) from error
        pose = self._planar(pose_matrix_from_msg(msg) @ np.linalg.inv(base_from_body), body)
        self._note(f"odom: child_frame_id is {body!r}, its poses are moved to {self._base_frame}")
        return pose

    def _planar(self, odom_from_base: Matrix, body: str) -> Pose2:
        lean = math.acos(max(-1.0, min(1.0, odom_from_base[2, 2])))
        if not lean <= MAX_LEAN:
            raise OdometryError(
                f"child_frame_id is {body!r}, by whose pose {self._base_frame} leans by "
                f"{math.degrees(lean):.0f} degrees, expected at most {math.degrees(MAX_LEAN):.0f}: "
                "is it the pose of another frame?"
            )
        yaw = math.atan2(odom_from_base[1, 0], odom_from_base[0, 0])
        return Pose2(float(odom_from_base[0, 3]), float(odom_from_base[1, 3]), yaw)

    def _take_frame(self, frame: str) -> None:
        before, self._frame = self._frame, frame
        if before is not None and frame != before:
            raise NewFrameError(f"frame_id is {frame!r} after {before!r}, expected one frame")

    def _note(self, text: str) -> None:
        if self._tell is not None and text not in self._told:
            self._told.add(text)
            self._tell(text)


def add_odometry(pairing: Pairing, odometry: BaseOdometry, msg: Any) -> None:
    """Give the pose of a message to a pairing.

    Raises:
        DecodeError: as :meth:`BaseOdometry.pose`; poses of another frame are forgotten.
    """
    try:
        pose = odometry.pose(msg)
    except NewFrameError:
        pairing.forget_odometry()
        raise
    pairing.add_odometry(stamp_ns_from_msg(msg.header.stamp), pose)
