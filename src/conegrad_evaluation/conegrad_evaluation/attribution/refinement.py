"""Errors of calibration and time that a drive shows, and contexts without them."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.cones import Cones
from conegrad_core.fusion.extrinsic_correction import ExtrinsicCorrection
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.port_truths.scene import TrueScene

CAMERA = ("camera_x", "camera_y", "camera_z", "camera_turn_x", "camera_turn_y", "camera_turn_z")
LIDAR = ("lidar_x", "lidar_y", "lidar_turn")
CAMERA_TIME, LIDAR_TIME = "camera_time", "lidar_time"
MIN_RATE = 1e-6  # [rad/s], slower turns are none


class Estimate(NamedTuple):
    """One measured error.

    Attributes:
        value: [m], [rad] or [s].
        deviation: its standard deviation.
    """

    value: float
    deviation: float


class Refinement(NamedTuple):
    """What is wrong with the mounting and the stamps of the sensors.

    Names and signs of the mounting are those of
    :class:`~conegrad_core.fusion.extrinsic_correction.ExtrinsicCorrection`: the pose of a sensor
    relative to its pose in the calibration. ``camera_time`` and ``lidar_time`` are what is to be
    added to the stamps of a sensor [s].

    Attributes:
        mounting: estimates by name; empty where the calibration stands.
        time: likewise of the stamps.
    """

    mounting: Mapping[str, Estimate] = {}
    time: Mapping[str, Estimate] = {}

    def value(self, name: str) -> float:
        """An error; 0 where nothing was found."""
        found = self.mounting.get(name) or self.time.get(name)
        return found.value if found else 0.0


class RefinedFrame:
    """A frame with and without the errors of calibration and time.

    Args:
        given: calibration and motion as they were recorded.
        twist: ``(3,)`` velocity of the LiDAR in its frame: x, y [m/s], yaw [rad/s]; None where the
            motion of the car is not known.
        refinement: the errors.
        calibration: the given one, :func:`corrected`; frames share it.
    """

    def __init__(
        self,
        given: FrameContext,
        twist: Tensor | None,
        refinement: Refinement,
        calibration: Calibration | None,
    ) -> None:
        self._given, self._twist, self._refinement = given, twist, refinement
        self._corrected = calibration

    def context(self, *, mounting: bool, time: bool) -> FrameContext:
        """What the stages are given without some errors: in the frame of the scan.

        Args:
            mounting: without the errors of the mounting.
            time: without those of the stamps.
        """
        calibration, motion = self._given
        lidar_from_scan = self.lidar_from_scan(mounting=mounting, time=time)
        motion = self._motion(time=time)
        if mounting:
            calibration = self._corrected
        if lidar_from_scan is not None:
            if calibration is not None:
                moved = calibration.camera_from_lidar @ lidar_from_scan.to(
                    calibration.camera_from_lidar
                )
                calibration = calibration._replace(camera_from_lidar=moved)
            if motion is not None:
                pose = lidar_from_scan.to(motion)
                motion = rigid_inverse(pose) @ motion @ pose
        return FrameContext(calibration, motion)

    def lidar_from_scan(self, *, mounting: bool, time: bool) -> Tensor | None:
        """``(4, 4)`` pose of the scan in the frame of the truth; None where nothing is wrong."""
        values = [self._refinement.value(name) for name in LIDAR] if mounting else [0.0] * 3
        delay = self._refinement.value(LIDAR_TIME) if time else 0.0
        if not any(values) and (not delay or self._twist is None):
            return None
        pose = pose_matrix(*(torch.tensor(value, dtype=torch.float64) for value in values))
        if delay and self._twist is not None:
            pose = moved_by(self._twist, delay) @ pose
        return pose.float()

    def placed(self, cones: Cones, *, mounting: bool, time: bool) -> Cones:
        """Cones in the frame of the truth, from that of the scan."""
        pose = self.lidar_from_scan(mounting=mounting, time=time)
        if pose is None:
            return cones
        turn = pose[:2, :2].to(cones.positions)
        return cones._replace(
            positions=cones.positions @ turn.mT + pose[:2, 3].to(cones.positions),
            covariances=turn @ cones.covariances @ turn.mT,
        )

    def scene(self, truth: TrueScene) -> TrueScene:
        """The scene with everything where it really was."""
        pose = self.lidar_from_scan(mounting=True, time=True)
        return TrueScene(truth.truth, self._corrected, self._motion(time=True), pose)

    def _motion(self, *, time: bool) -> Tensor | None:
        motion = self._given.motion
        delay = self._refinement.value(CAMERA_TIME) if time else 0.0
        if not delay or self._twist is None:
            return motion
        if motion is None:
            motion = torch.eye(4)
        if motion.shape == (3,):
            motion = pose_matrix(*motion.unbind())
        return motion @ moved_by(self._twist, delay).to(motion)


def corrected(calibration: Calibration | None, refinement: Refinement) -> Calibration | None:
    """The calibration with the camera where it really is; None stays None."""
    if calibration is None:
        return None
    values = {name: refinement.value(name) for name in CAMERA}
    if not any(values.values()):
        return calibration
    correction = ExtrinsicCorrection()
    correction.set_values(values)
    with torch.no_grad():
        return correction.corrected(calibration)


def moved_by(twist: Tensor, seconds: float) -> Tensor:
    """``(4, 4)`` pose after some time at constant velocity, in the frame of before; float64."""
    x, y, rate = (float(value) for value in twist)
    turn = rate * seconds
    if abs(rate) < MIN_RATE:
        ahead, aside = seconds, 0.0
    else:
        ahead, aside = math.sin(turn) / rate, (1 - math.cos(turn)) / rate
    place = (x * ahead - y * aside, x * aside + y * ahead)
    return pose_matrix(*(torch.tensor(v, dtype=torch.float64) for v in (*place, turn)))
