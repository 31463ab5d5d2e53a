"""Reduction of a 3-D point cloud to the planar scan that the segmenter reads."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.lidar.ground_plane import GroundConfig, GroundPlane, find_ground, known_ground
from conegrad_core.lidar.scan import Scan
from conegrad_core.settings import Config, setting
from conegrad_core.shapes import check_shape

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class ReductionConfig(Config):
    """Settings of the reduction of point clouds to planar scans."""

    beams: int = setting(1800, "Beams of the scan; at most the columns of the LiDAR", low=2)
    angle_min: float = setting(-math.pi, "Angle of the first beam [rad]", low=-math.pi, high=0.0)
    angle_max: float = setting(math.pi, "Angle where the scan ends [rad]", low=0.0, high=math.pi)
    min_height: float = setting(0.05, "Lowest return that is kept, above ground [m]", low=0.0)
    max_height: float = setting(0.30, "Highest return that is kept, above ground [m]", low=0.01)
    min_range: float = setting(0.5, "Nearer returns are the car itself [m]", low=0.0)
    car_ahead: float = setting(0.0, "The car reaches this far ahead of the LiDAR [m]", low=0.0)
    car_behind: float = setting(0.0, "The car reaches this far behind the LiDAR [m]", low=0.0)
    car_beside: float = setting(0.0, "The car reaches this far to either side [m]", low=0.0)
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


class ReducedScan(NamedTuple):
    """A planar scan made from a cloud.

    Attributes:
        scan: nearest return of each beam, horizontal ranges.
        lidar_height: of the sensor above the ground [m].
    """

    scan: Scan
    lidar_height: float


def reduce_cloud(
    points: Tensor,
    config: ReductionConfig | None = None,
    rings: Tensor | None = None,
    times: Tensor | None = None,
) -> ReducedScan:
    """Reduce a cloud to one planar scan in the frame of the LiDAR.

    With ``config.ring`` the returns of that ring are the scan; else those between two heights
    above the ground, the nearest per beam.

    Args:
        points: ``(N, 3)`` or wider; x forward, y left, z up [m], or y right and z down where the
            LiDAR hangs upside down; NaN rows are skipped.
        config: settings.
        rings: ``(N,)`` ring of each point; needed only for a choice by ring.
        times: ``(N,)`` of each point after the stamp [s]; gives the times of the scan.

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
    if config.ring >= 0:
        kept = finite & _on_ring(rings, len(xyz), config.ring)
    else:
        heights = ground.heights(xyz)
        kept = finite & (heights >= config.min_height) & (heights <= config.max_height)
    kept &= ~_on_car(xyz, config)
    of_kept = None
    if times is not None:
        check_shape(times, len(xyz), name="times")
        of_kept = times.detach().cpu().numpy()[kept]
    return ReducedScan(nearest_per_beam(xyz[kept, :2], config, of_kept), ground.sensor_height)


def nearest_per_beam(
    positions: Floats, config: ReductionConfig, times: Floats | None = None
) -> Scan:
    """Scan of the nearest of the ``(N, 2)`` positions [m] in each beam's share of the view.

    With ``(N,)`` times [s] each beam has that of its return, and a beam without return the time 0.
    """
    view = config.angle_max - config.angle_min
    full_turn = view > 2 * math.pi - 1e-6
    step = view / (config.beams if full_turn else config.beams - 1)
    ranges = np.hypot(positions[:, 0], positions[:, 1])
    offset = np.arctan2(positions[:, 1], positions[:, 0]) - config.angle_min
    beams = np.rint(offset / step).astype(np.int64)
    if full_turn:
        beams %= config.beams
    inside = (beams >= 0) & (beams < config.beams)
    inside &= (ranges >= config.min_range) & (ranges <= config.max_range)
    nearest = np.full(config.beams, np.inf)
    np.minimum.at(nearest, beams[inside], ranges[inside])
    nearest[np.isinf(nearest)] = np.nan
    angles = config.angle_min + step * torch.arange(config.beams, dtype=torch.float64)
    scan = Scan(torch.from_numpy(nearest).float(), angles.float())
    if times is None:
        return scan
    of_beams = np.zeros(config.beams, dtype=np.float32)
    order = np.argsort(-ranges[inside], kind="stable")  # of one beam the last, nearest one stays
    of_beams[beams[inside][order]] = times[inside][order]
    return scan._replace(times=torch.from_numpy(of_beams))


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


def _on_car(xyz: Floats, config: ReductionConfig) -> npt.NDArray[np.bool_]:
    x, y = xyz[:, 0], xyz[:, 1]
    along = (x < config.car_ahead) & (x > -config.car_behind)
    return along & (np.abs(y) < config.car_beside)


def _on_ring(rings: Tensor | None, count: int, ring: int) -> npt.NDArray[np.bool_]:
    if rings is None:
        raise ValueError(f"the cloud has no ring field, expected one: ring is set to {ring}")
    check_shape(rings, count, name="rings")
    chosen: npt.NDArray[np.bool_] = rings.cpu().numpy() == ring
    if not chosen.any():
        raise ValueError(f"the cloud has no return of ring {ring}, expected some")
    return chosen
