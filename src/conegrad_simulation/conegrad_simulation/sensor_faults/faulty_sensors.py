"""What faults make of the sensors of a simulated car, message by message."""

import dataclasses
import math
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.odometry import Pose2, relative_pose
from conegrad_core.geometry.transforms import optical_from_body, pose_matrix, rigid_inverse
from conegrad_core.lidar.scan import Scan
from conegrad_core.vehicle import CameraPreset, LidarPreset, Mounting, Vehicle
from conegrad_evaluation.disturbances.disturbance import CALIBRATION, MOTION, TIME
from conegrad_evaluation.disturbances.time import delay
from conegrad_simulation.planar import Pose
from conegrad_simulation.sensor_faults.timed_fault import TimedFault

IMAGE, SCAN = "Image", "Scan"  # kinds of ports
KINDS = (IMAGE, SCAN, CALIBRATION, MOTION, TIME)
LEAST_STEP = 1e-3  # [s] between two stamps of a camera whose stamps jitter


class Exposure(NamedTuple):
    """When an image is taken, and what its stamp says.

    Attributes:
        taken: [s].
        stamp: [s].
    """

    taken: float
    stamp: float


class FaultySensors:
    """The sensors of a car with faults; without any, it changes nothing.

    Disturbances act on single samples of a recording; here they act on what the sensors send:

    - on images and scans as they are, with draws of their own for each message;
    - of time: an image is taken earlier than its stamp says. Where the stamp would have to be
      early, the image is that of now and its stamp is early. A disturbance that repeats
      (``camera_frozen``) gives the same image again until it is that old;
    - on the calibration: the camera hangs elsewhere from the start of the fault on, while the
      perception goes on with the calibration;
    - on motion: on each step of the odometry, so that its errors add up.

    Args:
        faults: that act, applied in their order.
        vehicle: whose sensors they are.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for a disturbance that acts on something else.
    """

    def __init__(self, faults: Sequence[TimedFault], vehicle: Vehicle) -> None:
        for fault in faults:
            kind = fault.fault.disturbance.acts_on
            if kind not in KINDS:
                known = ", ".join(KINDS)
                raise ValueError(f"{fault} acts on {kind}, expected one of {known} in a drive")
        self._faults, self._vehicle = tuple(faults), vehicle
        self._true: Pose2 | None = None  # of the odometry before
        self._reported: Pose2 | None = None
        self._stamp = -math.inf  # newest of the camera [s]

    def exposure(self, time: float, number: int) -> Exposure:
        """When the image of an event is taken."""
        taken = stamp = time
        for timed in self._on(TIME, time):
            fault = timed.fault
            late = delay(fault.parameters, self._draws(timed, number))
            if fault.disturbance.repeats:
                period = max(late, LEAST_STEP)
                taken = timed.start + period * math.floor((time - timed.start) / period)
                continue
            taken, stamp = taken - max(late, 0.0), stamp + min(late, 0.0)
        self._stamp = stamp = max(stamp, self._stamp + LEAST_STEP)
        return Exposure(max(taken, 0.0), stamp)

    def image(self, image: RgbImage, time: float, number: int) -> RgbImage | None:
        """The image that the camera sends; None where it sends none."""
        found: RgbImage | None = image
        for timed in self._on(IMAGE, time):
            damage = timed.fault.disturbance.damage
            if found is not None and damage is not None:
                found = damage(found, timed.fault.parameters, self._draws(timed, number))
        return found

    def scan(
        self, ranges: npt.NDArray[np.float32], time: float, number: int
    ) -> npt.NDArray[np.float32] | None:
        """``(B,)`` ranges that the LiDAR sends [m]; None where it sends none."""
        faults = list(self._on(SCAN, time))
        if not faults:
            return ranges
        scan: Scan | None = Scan(torch.from_numpy(ranges), self._vehicle.lidar.angles())
        for timed in faults:
            damage = timed.fault.disturbance.damage
            if scan is not None and damage is not None:
                scan = damage(scan, timed.fault.parameters, self._draws(timed, number))
        return None if scan is None else scan.ranges.numpy().astype(np.float32)

    def camera(self, time: float) -> CameraPreset:
        """The camera where it really hangs."""
        camera = self._vehicle.camera
        for timed in self._on(CALIBRATION, time):
            camera = _displaced(camera, self._vehicle.lidar, timed, self._draws(timed, 0))
        return camera

    def odometry(
        self, pose: Pose, speed: float, time: float, number: int
    ) -> tuple[Pose, float] | None:
        """Pose and speed that the odometry sends, of the right ones; None where it sends none."""
        true = Pose2(*pose)
        step = relative_pose(self._true or true, true)
        moved = math.hypot(step.x, step.y)
        matrix: torch.Tensor | None = pose_matrix(*map(_double, step))
        for timed in self._on(MOTION, time):
            damage = timed.fault.disturbance.damage
            if damage is not None and matrix is not None:
                matrix = damage(matrix, timed.fault.parameters, self._draws(timed, number))
        self._true = true
        before = self._reported or true
        if matrix is None:
            self._reported = _moved(before, step)  # counts on while nothing is sent
            return None
        turn = math.atan2(float(matrix[1, 0]), float(matrix[0, 0]))
        found = Pose2(float(matrix[0, 3]), float(matrix[1, 3]), turn)
        self._reported = _moved(before, found)
        share = math.hypot(found.x, found.y) / moved if moved > 0 else 1.0
        return Pose(*self._reported), speed * share

    def _on(self, kind: str, time: float) -> Iterator[TimedFault]:
        """Faults of a kind that act at a time."""
        return (
            each
            for each in self._faults
            if each.fault.disturbance.acts_on == kind and each.is_on(time)
        )

    @staticmethod
    def _draws(timed: TimedFault, number: int) -> np.random.Generator:
        """Random draws of a fault in one message."""
        name = zlib.crc32(timed.fault.name.encode())
        return np.random.default_rng((timed.fault.seed, name, number))


def _displaced(
    camera: CameraPreset, lidar: LidarPreset, timed: TimedFault, draws: np.random.Generator
) -> CameraPreset:
    """The camera whose calibration is wrong as the fault says.

    A disturbance makes a wrong calibration of a right one, ``wrong = shift @ right``; here the
    calibration stays, and what is right is ``inverse(shift) @ calibration``.
    """
    damage = timed.fault.disturbance.damage
    if damage is None:
        return camera
    base_from_lidar = lidar.mounting.base_from_sensor()
    optical = optical_from_body(torch.float64)
    base_from_camera = camera.mounting.base_from_sensor() @ optical.mT
    calibrated = rigid_inverse(base_from_camera) @ base_from_lidar
    calibration = Calibration(camera.model(), calibrated, lidar.mounting.z)
    wrong = damage(calibration, timed.fault.parameters, draws).camera_from_lidar
    shift = wrong.double() @ rigid_inverse(calibrated)
    actual = rigid_inverse(shift) @ calibrated
    return dataclasses.replace(
        camera, mounting=_mounting(base_from_lidar @ rigid_inverse(actual) @ optical)
    )


def _mounting(base_from_sensor: torch.Tensor) -> Mounting:
    """Mounting of a transform: the angles of :func:`mounting_matrix`."""
    m = base_from_sensor
    yaw, roll = math.atan2(m[1, 0], m[0, 0]), math.atan2(m[2, 1], m[2, 2])
    pitch = -math.asin(max(-1.0, min(1.0, float(m[2, 0]))))
    x, y, z = m[:3, 3].tolist()
    return Mounting(x=x, y=y, z=z, roll=roll, pitch=pitch, yaw=yaw)


def _moved(parent_from_a: Pose2, a_from_b: Pose2) -> Pose2:
    x, y, yaw = parent_from_a
    cos, sin = math.cos(yaw), math.sin(yaw)
    return Pose2(
        x + cos * a_from_b.x - sin * a_from_b.y,
        y + sin * a_from_b.x + cos * a_from_b.y,
        yaw + a_from_b.yaw,
    )


def _double(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)
