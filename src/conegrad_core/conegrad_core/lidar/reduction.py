"""Reduction of a 3-D point cloud to the planar scan that the segmenter reads."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.lidar.cloud_clusters import find_clusters
from conegrad_core.lidar.ground_plane import GroundConfig, GroundPlane, find_ground, known_ground
from conegrad_core.lidar.ground_surface import surface_heights
from conegrad_core.lidar.height_profile import PolarCloud, height_profile
from conegrad_core.lidar.own_car import OwnCarFinder, read_outline
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.scan_turns import MOST_TURNS, nearest_points, spread_over_turns
from conegrad_core.settings import Config, setting
from conegrad_core.shapes import check_shape

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ReductionConfig(Config):
    """Settings of the reduction of point clouds to planar scans."""

    beams: int = setting(1200, "Beams of a turn; at most the columns of the LiDAR", low=2)
    angle_min: float = setting(-math.pi, "Angle of the first beam [rad]", low=-math.pi, high=0.0)
    angle_max: float = setting(math.pi, "Angle where the scan ends [rad]", low=0.0, high=math.pi)
    turns: int = setting(
        3,
        "Turns of the scan, for slim things behind one another",
        low=1,
        high=MOST_TURNS,
    )
    min_height: float = setting(0.05, "Lowest return that is kept, above ground [m]", low=0.0)
    max_height: float = setting(0.30, "Highest return that is kept, above ground [m]", low=0.01)
    min_range: float = setting(0.5, "Nearer returns are the car itself [m]", low=0.0)
    car_ahead: float = setting(0.0, "The car reaches this far ahead of the LiDAR [m]", low=0.0)
    car_behind: float = setting(0.0, "The car reaches this far behind the LiDAR [m]", low=0.0)
    car_beside: float = setting(0.0, "The car reaches this far to either side [m]", low=0.0)
    car_outline: str = setting(
        "", "Corners of the car from the LiDAR [m], as '0.7 -0.8; 2.1 0; 0.7 0.8'; empty: found"
    )
    find_car: bool = setting(
        True, "Find the car in the clouds and cut its returns, unless it is given above"
    )
    max_range: float = setting(30.0, "Farther returns are dropped [m]", low=0.1)
    ring: int = setting(-1, "Ring that is taken as the scan; -1: slice by height", low=-1)
    sensor_height: float = setting(
        0.0, "Height of the LiDAR above ground [m]; 0: found by ground detection", low=0.0
    )
    ground_distance: float = setting(0.05, "Ground returns lie this near the plane [m]", low=0.001)
    ground_range: float = setting(15.0, "Ground is looked for up to here [m]", low=1.0)
    max_tilt: float = setting(0.2, "Steepest ground against the LiDAR [rad]", low=0.0, high=1.5)
    seed: int = setting(0, "Seed of the ground search", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_height >= self.max_height:
            fault = f"is {self.min_height}, expected less than max_height, {self.max_height}"
            raise self.refusal("min_height", fault)
        try:
            self.own_car()
        except ValueError as error:
            raise self.refusal("car_outline", str(error)) from error

    @property
    def has_car_box(self) -> bool:
        """Whether the car is given as a rectangle."""
        return self.car_ahead + self.car_behind > 0 and self.car_beside > 0

    def own_car(self) -> OwnCarFinder | None:
        """What tells returns of the car in the clouds of a drive; None where nothing has to."""
        if self.car_outline:
            return OwnCarFinder(read_outline(self.car_outline))
        return OwnCarFinder() if self.find_car and not self.has_car_box else None


class ReducedScan(NamedTuple):
    """A planar scan made from a cloud.

    Attributes:
        scan: one return of each beam, horizontal ranges.
        lidar_height: of the sensor above the ground [m].
        points: ``(B,)`` row of the cloud that is the return of each beam; -1 for none.
    """

    scan: Scan
    lidar_height: float
    points: Integers


def reduce_cloud(
    points: Tensor,
    config: ReductionConfig | None = None,
    rings: Tensor | None = None,
    times: Tensor | None = None,
    car: OwnCarFinder | None = None,
) -> ReducedScan:
    """Reduce a cloud to one planar scan in the frame of the LiDAR.

    With ``config.ring`` the returns of that ring are the scan; else those between two heights
    above the ground, with their height profile. A 3-D LiDAR looks over a cone or the nose of the
    car at the cones behind: such a scan has several turns, whose angles go on after the first.
    What is as slim as a cone is in one of them as a whole, everything else in the first, where it
    is the nearest of its beam.

    Args:
        points: ``(N, 3)`` or wider; x forward, y left, z up [m], or y right and z down where the
            LiDAR hangs upside down; NaN rows are skipped.
        config: settings.
        rings: ``(N,)`` ring of each point; needed only for a choice by ring.
        times: ``(N,)`` of each point after the stamp [s]; gives the times of the scan.
        car: tells which returns are of the own car, and learns from the cloud; it belongs to one
            drive. None cuts only what ``config`` gives as a rectangle.

    Raises:
        ValueError: if the cloud has another shape, lacks the ring, or shows no ground.
    """
    config = config or ReductionConfig()
    check_shape(points, None, None, name="points")
    if points.ndim != 2 or points.shape[1] < 3:
        raise ValueError(f"points has shape {tuple(points.shape)}, expected (N, 3) or wider")
    xyz = points[:, :3].detach().cpu().numpy()
    finite = np.isfinite(xyz @ np.ones(3, dtype=xyz.dtype))  # a sum is NaN or inf if a part is
    ground = _ground(xyz if finite.all() else xyz[finite], config)
    kept = finite & ~_on_car(xyz, config)
    if car is not None:
        kept[finite] &= ~car.on_car(xyz[finite], ground.heights(xyz[finite]))
    times = None if times is None else _of_points(times, len(xyz), "times")[kept]
    on_ring = None if config.ring < 0 else _on_ring(rings, len(xyz), config.ring)[kept]
    xyz = xyz[kept]
    cloud = _polar_cloud(xyz, ground, config)
    if on_ring is not None:
        seen = np.flatnonzero(cloud.in_view & on_ring)
        chosen = nearest_points(cloud, seen, config.beams)[None]
        scan = _scan(cloud, chosen, config, times)
        return ReducedScan(scan, ground.sensor_height, _rows(chosen, kept))
    usable = (cloud.heights >= config.min_height) & (cloud.heights <= config.max_height)
    usable &= cloud.in_view
    clusters = find_clusters(xyz[:, :2], cloud.heights)
    turns = config.turns if _covers_turn(config) else 1
    chosen = spread_over_turns(cloud, usable, clusters.slim, config.beams, turns)
    profile = height_profile(cloud, chosen, ground.sensor_height, clusters)
    scan = _scan(cloud, chosen, config, times)._replace(profile=torch.from_numpy(profile))
    return ReducedScan(scan, ground.sensor_height, _rows(chosen, kept))


def _rows(chosen: Integers, kept: Booleans) -> Integers:
    """Rows of the whole cloud, of those of the points that were kept."""
    chosen = chosen.ravel()
    return np.where(chosen >= 0, np.append(np.flatnonzero(kept), -1)[chosen], -1)


def _polar_cloud(xyz: Floats, ground: GroundPlane, config: ReductionConfig) -> PolarCloud:
    step = _step(config)
    ranges = np.hypot(xyz[:, 0], xyz[:, 1])
    beams = np.rint((np.arctan2(xyz[:, 1], xyz[:, 0]) - config.angle_min) / step).astype(np.int64)
    if _covers_turn(config):
        beams %= config.beams
    in_view = (beams >= 0) & (beams < config.beams)
    in_view &= (ranges >= config.min_range) & (ranges <= config.max_range)
    return PolarCloud(np.where(in_view, beams, 0), ranges, surface_heights(xyz, ground), in_view)


def _scan(
    cloud: PolarCloud, chosen: Integers, config: ReductionConfig, times: Floats | None
) -> Scan:
    """Scan of the chosen points; a beam without return has the time 0."""
    chosen = chosen.ravel()
    found = chosen >= 0
    ranges = np.where(found, cloud.ranges[chosen], np.nan)
    angles = config.angle_min + _step(config) * torch.arange(len(chosen), dtype=torch.float64)
    scan = Scan(torch.from_numpy(ranges).float(), angles.float())
    if times is None:
        return scan
    return scan._replace(times=torch.from_numpy(np.where(found, times[chosen], 0.0)).float())


def _covers_turn(config: ReductionConfig) -> bool:
    return config.angle_max - config.angle_min > 2 * math.pi - 1e-6


def _step(config: ReductionConfig) -> float:
    """Angle between two beams [rad]."""
    gaps = config.beams if _covers_turn(config) else config.beams - 1
    return (config.angle_max - config.angle_min) / gaps


def _ground(xyz: Floats, config: ReductionConfig) -> GroundPlane:
    if config.sensor_height > 0:
        return known_ground(xyz, config.sensor_height)
    search = GroundConfig(
        distance=config.ground_distance,
        search_range=config.ground_range,
        max_tilt=config.max_tilt,
        seed=config.seed,
    )
    return find_ground(xyz, search)


def _on_car(xyz: Floats, config: ReductionConfig) -> Booleans:
    x, y = xyz[:, 0], xyz[:, 1]
    along = (x < config.car_ahead) & (x > -config.car_behind)
    return along & (np.abs(y) < config.car_beside)


def _on_ring(rings: Tensor | None, count: int, ring: int) -> Booleans:
    if rings is None:
        raise ValueError(f"the cloud has no ring field, expected one: ring is set to {ring}")
    chosen: Booleans = _of_points(rings, count, "rings") == ring
    if not chosen.any():
        raise ValueError(f"the cloud has no return of ring {ring}, expected some")
    return chosen


def _of_points(values: Tensor, count: int, name: str) -> npt.NDArray[Any]:
    check_shape(values, count, name=name)
    return values.detach().cpu().numpy()
