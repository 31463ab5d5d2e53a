"""Beams of one sweep of a 3-D LiDAR: directions, times and the poses they are measured from."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.lidar.clouds.patterns import LidarPattern
from conegrad_simulation.planar import Floats

BLOCK = 0.004  # [s], within it obstacles are looked up at one pose; each beam has its own


class Sweep(NamedTuple):
    """Beams as a grid of R rings and C columns.

    Attributes:
        elevations: ``(R,)`` of the rings in the LiDAR's frame [rad], rising.
        first_azimuth: of the first column [rad]; the others follow counter-clockwise.
        step: between two columns [rad], positive.
        times: ``(C,)`` of the columns after the stamp [s].
        directions: ``(R, C, 3)`` unit vectors in the LiDAR's frame.
    """

    elevations: Floats
    first_azimuth: float
    step: float
    times: Floats
    directions: Floats


class SensorMotion(NamedTuple):
    """Motion of a LiDAR during a frame: constant velocity and yaw rate, at a constant tilt.

    Attributes:
        x: of the LiDAR in the map at the stamp [m]; ``y`` likewise.
        yaw: of its level frame [rad].
        height: of the LiDAR in the map [m].
        tilt: ``(3, 3)`` rotation from its frame to the level one.
        velocity: ahead and to the left in that level frame [m/s].
        yaw_rate: [rad/s].
    """

    x: float
    y: float
    yaw: float
    height: float
    tilt: Floats
    velocity: tuple[float, float] = (0.0, 0.0)
    yaw_rate: float = 0.0

    @property
    def is_moving(self) -> bool:
        """Whether the beams are measured from different poses."""
        return self.velocity != (0.0, 0.0) or self.yaw_rate != 0.0

    def poses(self, times: Floats) -> tuple[Floats, Floats]:
        """``(T, 3)`` places in the map [m] and ``(T,)`` yaws [rad] at ``(T,)`` times [s]."""
        middle = self.yaw + 0.5 * self.yaw_rate * times
        ahead, left = (part * times for part in self.velocity)
        places = np.stack(
            [
                self.x + ahead * np.cos(middle) - left * np.sin(middle),
                self.y + ahead * np.sin(middle) + left * np.cos(middle),
                np.full(len(times), self.height),
            ],
            axis=1,
        )
        return places, self.yaw + self.yaw_rate * times


def sweeps_of(
    pattern: LidarPattern, rng: np.random.Generator, *, is_clockwise: bool = True
) -> list[Sweep]:
    """Sweeps of one frame of a LiDAR.

    Args:
        pattern: of the LiDAR.
        rng: draws the elevations of a pattern that does not repeat, and the phase of the columns.
        is_clockwise: the LiDAR turns clockwise, as seen from above.
    """
    found = []
    share = pattern.duration / pattern.sweeps
    for index, elevations in enumerate(pattern.sweep_elevations(rng)):
        first = -0.5 * pattern.view + pattern.step * rng.uniform(-0.5, 0.5)
        azimuths: Floats = first + pattern.step * np.arange(pattern.columns, dtype=np.float64)
        order = np.arange(pattern.columns)
        order = order[::-1] if is_clockwise else order
        times = share * (index + order / pattern.columns)
        directions = grid_directions(elevations, azimuths)
        found.append(Sweep(elevations, first, pattern.step, times, directions))
    return found


def grid_directions(elevations: Floats, azimuths: Floats) -> Floats:
    """``(R, C, 3)`` unit vectors of ``(R,)`` elevations and ``(C,)`` azimuths [rad]."""
    flat, up = np.cos(elevations)[:, None], np.sin(elevations)[:, None]
    x, y = flat * np.cos(azimuths), flat * np.sin(azimuths)
    return np.stack([x, y, np.broadcast_to(up, x.shape)], axis=-1)


def tilt_matrix(roll: float, pitch: float) -> Floats:
    """``(3, 3)`` rotation from a frame with roll and pitch (positive looks down) to the level."""
    cr, sr, cp, sp = math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch)
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    return np.asarray(about_y @ about_x)


def rotated(vectors: Floats, yaws: Floats) -> Floats:
    """``(..., C, 3)`` vectors turned about z by ``(C,)`` angles [rad]."""
    cos, sin = np.cos(yaws), np.sin(yaws)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y, vectors[..., 2]], axis=-1)
