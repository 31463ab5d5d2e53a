"""The ground plane under a LiDAR, found in a point cloud (Open3D, seeded RANSAC)."""

import contextlib
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.settings import Config, setting

Floats = npt.NDArray[np.floating]

NEAREST = 0.5  # [m], nearer returns are the car itself
SAMPLE = 3000  # points are enough for a plane, and keep the search at a few milliseconds
ITERATIONS = 60
ON_GROUND = 0.15  # [m] from a plane of known distance, on a car that pitches
HIGH = 2.0  # [m]; of planes farther below, one nearer above may be that of a hanging LiDAR
LEAST_SHARE = 0.15  # of the points below the sensor have to lie on the ground


@dataclass(frozen=True)
class GroundConfig(Config):
    """Settings of the ground search."""

    distance: float = setting(0.05, "Ground returns lie this near the plane [m]", low=0.001)
    search_range: float = setting(15.0, "Ground is looked for up to here [m]", low=1.0)
    max_tilt: float = setting(0.2, "Steepest ground against the LiDAR [rad]", low=0.0, high=1.5)
    seed: int = setting(0, "Seed of the search", low=0)


class GroundPlane(NamedTuple):
    """A plane below the sensor.

    Attributes:
        normal: ``(3,)`` unit vector, pointing up: to -z of a LiDAR that hangs upside down.
        sensor_height: distance of the sensor from the plane [m].
    """

    normal: Floats
    sensor_height: float

    def heights(self, points: Floats) -> Floats:
        """Height above the ground [m] of ``(N, 3)`` points in the LiDAR frame."""
        normal = self.normal.astype(points.dtype)
        above: Floats = points @ normal + points.dtype.type(self.sensor_height)
        return above


def find_ground(points: Floats, config: GroundConfig | None = None) -> GroundPlane:
    """Find the ground around the sensor; the same points and seed give the same plane.

    It is looked for at negative z. Where there is none, or only one so far away that it may be a
    ceiling, it is looked for at positive z, too: the LiDAR may hang upside down. The nearer plane
    is the ground.

    Args:
        points: ``(N, 3)`` finite points, x forward, z up, or down where the LiDAR hangs [m].
        config: settings.

    Raises:
        ValueError: if too few points lie on one side of the sensor, or no plane that is level
            enough holds enough of them.
    """
    config = config or GroundConfig()
    try:
        upright = _plane_below(points, config)
    except ValueError as fault:
        try:
            return _hanging(points, config)
        except ValueError:
            raise fault from None  # of the usual mounting
    if upright.sensor_height <= HIGH:
        return upright
    with contextlib.suppress(ValueError):
        hanging = _hanging(points, config)
        return min(upright, hanging, key=lambda plane: plane.sensor_height)
    return upright


def known_ground(points: Floats, sensor_height: float) -> GroundPlane:
    """Level ground at a known distance, on the side of the sensor where more points lie on it.

    Args:
        points: ``(N, 3)`` finite points [m].
        sensor_height: of the sensor above it [m].
    """
    z = points[:, 2]
    below = int((np.abs(z + sensor_height) < ON_GROUND).sum())
    above = int((np.abs(z - sensor_height) < ON_GROUND).sum())
    return GroundPlane(np.array([0.0, 0.0, 1.0 if below >= above else -1.0]), sensor_height)


def _hanging(points: Floats, config: GroundConfig) -> GroundPlane:
    """The ground of a LiDAR that hangs upside down: turned about its x axis."""
    turn = np.array([1.0, -1.0, -1.0], dtype=points.dtype)
    plane = _plane_below(points * turn, config)
    return plane._replace(normal=plane.normal * turn)


def _plane_below(points: Floats, config: GroundConfig) -> GroundPlane:
    below = _below_sensor(points, config)
    if len(below) < 10:
        raise ValueError(
            f"the cloud has {len(below)} points below the LiDAR within {config.search_range} m, "
            "expected at least 10 to find the ground"
        )
    import open3d  # two seconds, which only those with a point cloud need

    open3d.utility.random.seed(config.seed)
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(below))
    # Probability 1 runs all iterations: where Open3D stops early depends on its threads' timing.
    _, inliers = cloud.segment_plane(config.distance, 3, ITERATIONS, probability=1.0)
    plane = _fit(below[inliers])
    tilt, share = math.acos(min(plane.normal[2], 1.0)), len(inliers) / len(below)
    if tilt > config.max_tilt or share < LEAST_SHARE or plane.sensor_height <= 0:
        raise ValueError(
            f"the best ground plane is tilted by {tilt:.2f} rad, lies {plane.sensor_height:.2f} m "
            f"below the LiDAR and holds {share:.0%} of the points below it, expected a tilt of at "
            f"most {config.max_tilt} rad and {LEAST_SHARE:.0%}"
        )
    return plane


def _below_sensor(points: Floats, config: GroundConfig) -> Floats:
    # Every n-th point: deterministic, and even over rings and directions.
    points = points[:: max(1, len(points) // (4 * SAMPLE))].astype(np.float64)
    ranges = np.hypot(points[:, 0], points[:, 1])
    chosen = (points[:, 2] < 0) & (ranges > NEAREST) & (ranges < config.search_range)
    below = points[chosen]
    return np.ascontiguousarray(below[:: max(1, len(below) // SAMPLE)])


def _fit(points: Floats) -> GroundPlane:
    """Least-squares plane through points."""
    centre = points.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((points - centre).T))
    normal = vectors[:, 0] * (1.0 if vectors[2, 0] >= 0 else -1.0)
    return GroundPlane(normal, float(-normal @ centre))
