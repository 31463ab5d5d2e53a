"""Planned drive along the centre line of a track: pose, speed and attitude by time."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from conegrad_core.settings import Config, setting
from conegrad_simulation.planar import Border, Floats, Pose
from conegrad_simulation.recording.attitude import Attitude
from conegrad_simulation.track.curve import arc_lengths, resample
from conegrad_simulation.track.track import Track

STEP = 0.25  # [m] between points of the driven line
SMOOTHING = 1.0  # [m], corners of a coarse centre line are rounded over this distance
END_SPEED = 0.5  # [m/s] at the end of a track that is not closed


@dataclass(frozen=True)
class DriveConfig(Config):
    """Speeds, limits and attitude of the car."""

    speed: float = setting(8.0, "Speed on the straight [m/s]", low=0.1, high=60.0)
    lateral_limit: float = setting(7.0, "Acceleration in corners [m/s^2]", low=0.1, high=40.0)
    forward_limit: float = setting(4.0, "Acceleration ahead [m/s^2]", low=0.1, high=40.0)
    braking_limit: float = setting(6.0, "Deceleration [m/s^2]", low=0.1, high=40.0)
    pitch_gain: float = setting(0.0015, "Pitch per deceleration [rad s^2/m]", low=0.0, high=0.1)
    roll_gain: float = setting(
        0.002, "Roll per lateral acceleration [rad s^2/m]", low=0.0, high=0.1
    )
    unevenness: float = setting(0.002, "Pitch and roll from the road, std [rad]", low=0.0, high=0.1)


class CarState(NamedTuple):
    """The car at one time.

    Attributes:
        pose: of ``base_link`` in the map.
        speed: along the heading [m/s].
        yaw_rate: [rad/s].
        pitch: of the body, positive is nose down [rad].
        roll: of the body, positive leans right [rad].
    """

    pose: Pose
    speed: float
    yaw_rate: float
    pitch: float
    roll: float


class Motion(Protocol):
    """Motion of a car: its state by time."""

    def state(self, time: float) -> CarState:
        """The car ``time`` seconds after the start [s]."""


class PlannedDrive:
    """Drive along a track: a pure function of time, settings and seed.

    A closed track is driven lap after lap; on an open one the car stops at the end, after
    :attr:`duration`.

    Attributes:
        duration: time until the end of the track [s]; infinite on a closed one.
    """

    def __init__(self, track: Track, config: DriveConfig, seed: int) -> None:
        """Plan the drive.

        Args:
            track: with the centre line to follow.
            config: speeds and limits.
            seed: of the unevenness of the road.
        """
        self._config = config
        self._is_closed = track.is_closed
        self._line, self._length = _smooth_line(track)
        self._along = np.linspace(0.0, self._length, max(3, round(self._length / STEP) + 1))
        self._speeds = self._speed_profile()
        mean = 0.5 * (self._speeds[1:] + self._speeds[:-1])
        self._times = np.concatenate([[0.0], np.cumsum(np.diff(self._along) / mean)])
        self.duration = math.inf if track.is_closed else float(self._times[-1])
        self._attitude = Attitude(config.pitch_gain, config.roll_gain, config.unevenness, seed)

    def state(self, time: float) -> CarState:
        """The car ``time`` seconds after the start [s]."""
        lap_time = float(self._times[-1])
        in_lap = time % lap_time if self._is_closed else min(max(time, 0.0), lap_time)
        along = float(np.interp(in_lap, self._times, self._along))
        speed = float(np.interp(along, self._along, self._speeds))
        curvature, heading = self._curvature(along), self._heading(along)
        x, y = self._line(along)
        acceleration = self._acceleration(in_lap, speed)
        pitch, roll = self._attitude.at(time, acceleration, speed**2 * curvature)
        pose = Pose(float(x), float(y), heading)
        return CarState(pose, speed, speed * curvature, pitch, roll)

    def _heading(self, along: float) -> float:
        dx, dy = self._line(along, 1)
        return math.atan2(dy, dx)

    def _curvature(self, along: float | Floats) -> float:
        first, second = self._line(along, 1), self._line(along, 2)
        cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
        curvature: float = cross / np.linalg.norm(first, axis=-1) ** 3
        return curvature

    def _speed_profile(self) -> Floats:
        """Fastest speeds that keep every limit, at the points of ``_along`` [m/s]."""
        config, step = self._config, float(self._along[1])
        curvature = np.abs(self._curvature(self._along))
        speeds = np.minimum(
            config.speed, np.sqrt(config.lateral_limit / np.maximum(curvature, 1e-6))
        )
        if not self._is_closed:
            speeds[-1] = min(speeds[-1], END_SPEED)
        # Twice around, so that on a closed track the limits hold across the start as well.
        for _ in range(2 if self._is_closed else 1):
            speeds = _limit_rise(speeds, step, config.forward_limit)
            speeds = _limit_rise(speeds[::-1], step, config.braking_limit)[::-1]
            if self._is_closed:
                speeds[0] = speeds[-1] = min(speeds[0], speeds[-1])
        return np.asarray(speeds)

    def _acceleration(self, in_lap: float, speed: float) -> float:
        later = float(np.interp(in_lap + 0.05, self._times, self._along))
        return (float(np.interp(later, self._along, self._speeds)) - speed) / 0.05


class OdometryDrift(NamedTuple):
    """Errors of an odometry: relative error of speed, and bias of the yaw rate [rad/s]."""

    speed_error: float
    yaw_rate_bias: float


def dead_reckoning(
    drive: Motion, times: Floats, drift: OdometryDrift
) -> list[tuple[float, float, float]]:
    """Poses x, y [m], yaw [rad] of an odometry; equal to the true ones without drift.

    Args:
        drive: the true motion.
        times: ``(T,)`` increasing times [s]; the first pose is exact.
        drift: its errors.
    """
    truth = [drive.state(float(time)).pose for time in times]
    if drift == OdometryDrift(0.0, 0.0):
        return [(pose.x, pose.y, pose.yaw) for pose in truth]
    poses: list[tuple[float, float, float]] = [(truth[0].x, truth[0].y, truth[0].yaw)]
    for before, after, step in zip(truth, truth[1:], np.diff(times), strict=False):
        poses.append(_reckon(poses[-1], before, after, float(step), drift))
    return poses


def _reckon(
    pose: tuple[float, float, float], before: Pose, after: Pose, step: float, drift: OdometryDrift
) -> tuple[float, float, float]:
    turn = pose[2] - before.yaw
    scale = 1.0 + drift.speed_error
    dx, dy = scale * (after.x - before.x), scale * (after.y - before.y)
    x = pose[0] + math.cos(turn) * dx - math.sin(turn) * dy
    y = pose[1] + math.sin(turn) * dx + math.cos(turn) * dy
    return x, y, after.yaw + turn + drift.yaw_rate_bias * step


def _smooth_line(track: Track) -> tuple[CubicSpline, float]:
    """Spline from the distance along the smoothed centre line to ``(..., 2)``, and its length."""
    points = resample(track.centre_line, STEP, is_closed=track.is_closed)
    mode: Border = "wrap" if track.is_closed else "nearest"
    smooth = gaussian_filter1d(points, SMOOTHING / STEP, axis=0, mode=mode)
    if not track.is_closed:
        smooth[[0, -1]] = points[[0, -1]]
        along = arc_lengths(smooth)
        return CubicSpline(along, smooth), float(along[-1])
    ring = np.vstack([smooth, smooth[:1]])
    along = arc_lengths(ring)
    return CubicSpline(along, ring, bc_type="periodic"), float(along[-1])


def _limit_rise(speeds: Floats, step: float, limit: float) -> Floats:
    """Speeds lowered so that the acceleration between neighbouring points keeps a limit."""
    limited: Floats = speeds.copy()
    for i in range(1, len(limited)):
        limited[i] = min(limited[i], math.sqrt(limited[i - 1] ** 2 + 2 * limit * step))
    return limited
