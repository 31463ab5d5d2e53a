"""Motion within a scan: when each beam was measured, and where the LiDAR was then."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from conegrad_core.geometry.odometry import Path2, sensor_poses
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.settings import Config, setting

STAMPS = ("message", "first", "middle", "last")
AnyScan = TypeVar("AnyScan", Scan, SegmentedScan)


@dataclass(frozen=True)
class SweepConfig(Config):
    """What a driver says wrongly about the times of its beams."""

    stamp: str = setting(
        "message",
        "Which beam the stamp is of: first, middle or last; message: the first of a scan, and what "
        "the times of the points of a cloud say",
    )
    is_reversed: bool = setting(
        False, "The beams were measured in the reverse order of the message (RPLIDAR)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("stamp", STAMPS)


def corrected_times(times: Tensor, config: SweepConfig) -> Tensor:
    """Times of the beams after the stamp [s], of those that the message gives.

    Args:
        times: ``(N,)`` of beams or points.
        config: what the message says wrongly.
    """
    if not len(times):
        return times
    first, last = times.min(), times.max()
    if config.is_reversed:
        times = first + last - times
    shifts = {"first": first, "middle": (first + last) / 2, "last": last}
    return times - shifts[config.stamp] if config.stamp in shifts else times


def sweep_span(scan: Scan | SegmentedScan) -> tuple[float, float]:
    """Times of the first and the last beam after the stamp [s]; zeros where all are at it."""
    if scan.times is None or not len(scan.times):
        return 0.0, 0.0
    return float(scan.times.min()), float(scan.times.max())


def with_motions(scan: AnyScan, path: Path2 | None, base_from_lidar: Tensor) -> AnyScan:
    """The scan with the pose of the LiDAR at each beam, where times and path are known.

    Args:
        scan: with ``times``; without them it stays as it is.
        path: of ``base_link`` around the stamp; None where it is not known.
        base_from_lidar: ``(4, 4)`` mounting.

    Raises:
        ValueError: if ``base_from_lidar`` has another shape.
    """
    if scan.times is None or path is None:
        return scan
    poses = sensor_poses(path.poses, base_from_lidar)
    times = scan.times.detach().cpu().double().numpy()
    motions = np.stack([np.interp(times, path.offsets, axis) for axis in poses.T], axis=-1)
    return scan._replace(motions=torch.from_numpy(motions).to(scan.ranges))
