"""Measures the pose of the scan and the delay of its stamps by the true cones of a drive."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.scalars import FusionScalars
from conegrad_core.fusion.segments import lidar_candidates
from conegrad_core.geometry.transforms import turned
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_evaluation.attribution.robust_fit import Fit, gauss_newton, mutual_pairs
from conegrad_evaluation.port_truths.scene import TrueScene

MAX_RANGE = 12.0  # [m]
NOISE = 0.04  # [m] of the place of a segment
STARTS_TIME = (-0.12, -0.06, 0.0, 0.06, 0.12)  # [s]
GATES = (0.8, 0.4, 0.25)  # [m], farthest pair, round by round
PRIOR = (0.1, 0.1, 0.06, 0.15)  # [m], [rad], [s]: how wrong they may be at all
LIMITS = (0.3, 0.3, 0.17, 0.3)


class LidarData(NamedTuple):
    """Cones and segments of all frames as flat tensors (T cones, S segments, F frames)."""

    positions: Tensor  # (T, 2) true cones in the LiDAR frame of the calibration [m]
    cone_frames: Tensor  # (T,)
    segments: Tensor  # (S, 2) in the frame of the scan [m]
    segment_frames: Tensor  # (S,)
    twists: Tensor  # (F, 3)
    knows_twist: bool


def lidar_data(
    scenes: Sequence[TrueScene],
    scans: Sequence[SegmentedScan],
    twists: Sequence[Tensor | None],
) -> LidarData:
    """Cones that the scans could hit, and the segments that the network takes for cones."""
    scalars, config = FusionScalars()(), FuserConfig()
    parts: list[list[Tensor]] = [[], [], [], [], []]
    for frame, (scene, scan, twist) in enumerate(zip(scenes, scans, twists, strict=True)):
        truth = scene.truth
        near = truth.visible_lidar & (truth.positions.norm(dim=-1) <= MAX_RANGE)
        with torch.no_grad():
            candidates = lidar_candidates(scan, scalars, config)
        kept = candidates.positions[candidates.log_odds > 0]
        parts[0].append(truth.positions[near].double())
        parts[1].append(torch.full((int(near.sum()),), frame))
        parts[2].append(kept.detach().double())
        parts[3].append(torch.full((len(kept),), frame))
        parts[4].append((torch.zeros(3) if twist is None else twist).double()[None])
    knows = any(twist is not None for twist in twists)
    cones, cone_frames, segments, segment_frames, velocities = map(torch.cat, parts)
    return LidarData(cones, cone_frames, segments, segment_frames, velocities, knows)


def fit_lidar(data: LidarData, free: Sequence[bool]) -> Fit:
    """Pose of the scan in the frame of the truth and delay of its stamps, with covariance.

    Args:
        data: of :func:`lidar_data`.
        free: for each of x, y, turn and time, whether it is fitted.
    """
    times = STARTS_TIME if free[3] else (0.0,)
    starts = [torch.tensor([0.0, 0.0, 0.0, time], dtype=torch.float64) for time in times]
    return _fitted(data, min(starts, key=lambda start: _score(data, start)), free)


def placed_segments(data: LidarData, values: Tensor) -> Tensor:
    """``(S, 2)`` segments in the frame of the truth [m]."""
    static = turned(data.segments, values[2].expand(len(data.segments))) + values[:2]
    x, y, turn = (values[3] * data.twists[data.segment_frames]).unbind(-1)
    half = turned(torch.stack([x, y], dim=-1), 0.5 * turn)
    return turned(static, turn) + half


def _distances(data: LidarData, values: Tensor) -> Tensor:
    """``(S, T)`` [m]; infinite between frames."""
    apart = torch.cdist(placed_segments(data, values), data.positions)
    return torch.where(
        data.segment_frames[:, None] == data.cone_frames[None], apart, torch.full_like(apart, 1e6)
    )


def _score(data: LidarData, values: Tensor) -> float:
    if not len(data.segments) or not len(data.positions):
        return 0.0
    nearest = _distances(data, values).amin(1).clamp(max=1.0)
    return float((1 - (-0.5 * (nearest / 0.15).square()).exp()).mean()) + float(
        1e-3 * (values / values.new_tensor(PRIOR)).square().sum()
    )


def _fitted(data: LidarData, values: Tensor, free: Sequence[bool]) -> Fit:
    fit = Fit.nothing(values)
    for gate in GATES:
        rows, cones = mutual_pairs(_distances(data, fit.values), gate)
        part = data._replace(segments=data.segments[rows], segment_frames=data.segment_frames[rows])
        target = data.positions[cones]

        def residuals(at: Tensor, part: LidarData = part, target: Tensor = target) -> Tensor:
            return (placed_segments(part, at) - target) / NOISE

        groups = data.segment_frames[rows]
        fit = gauss_newton(residuals, fit.values, free, PRIOR, LIMITS, groups=groups)
    return fit
