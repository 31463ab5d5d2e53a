"""LiDAR candidates: which beams of a scan may belong to one cone, and what they say."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.scalars import ScalarValues
from conegrad_core.geometry.transforms import turned
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.shapes import check_shape

USUAL_SCATTER = 0.01  # [m] of a return about its neighbours, of a usual sensor
USUAL_WEIGHT = 8.0  # triples of beams that say as much as what is usual
BEND_MEDIAN = 0.6745 * math.sqrt(6)  # median of a second difference, by the deviation of a return
MAX_SCATTER = 0.1  # [m]; more is no noise of a sensor

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.intp]


class Membership(NamedTuple):
    """Which beams belong to which candidate; constants of the graph.

    Attributes:
        beams: ``(n,)`` indices into the scan.
        segments: ``(n,)`` candidate of each of these beams, ascending.
        counts: ``(S,)`` beams per candidate.
    """

    beams: IntArray
    segments: IntArray
    counts: IntArray


class LidarCandidates(NamedTuple):
    """Cone candidates of a scan (S rows); gradients flow to beam logits and ranges.

    Attributes:
        positions: ``(S, 2)`` of the cone's axis in the LiDAR frame [m].
        directions: ``(S, 2)`` unit vectors from the LiDAR to the candidates.
        variances: ``(S, 2)`` along and across that direction [m^2].
        log_odds: ``(S,)`` that the candidate is a cone, by the LiDAR alone.
    """

    positions: Tensor
    directions: Tensor
    variances: Tensor
    log_odds: Tensor

    @property
    def information(self) -> Tensor:
        """``(S, 3)`` inverse of the covariances, packed [1/m^2]."""
        return gaussians.oriented(self.directions, *(1 / self.variances).unbind(-1))


def find_segments(
    ranges: FloatArray, angles: FloatArray, logits: FloatArray, config: FuserConfig
) -> Membership:
    """Group beams into cone-sized segments.

    Neighbouring returns belong together unless a range-dependent gap or too many missing beams
    part them. What is wider than a cone is split further where the cone probability crosses 0.5,
    so that a cone at a wall becomes a candidate of its own; of the parts of something too wide
    for a cone only those are kept that the network takes for one.

    Args:
        ranges: ``(B,)`` [m], NaN where a beam has no return.
        angles: ``(B,)`` [rad].
        logits: ``(B,)`` of the beams.
        config: gaps, extents and the number of candidates.
    """
    with np.errstate(invalid="ignore"):
        beams = np.flatnonzero((ranges >= config.min_range) & (ranges <= config.max_range))
    if not len(beams):
        return Membership(beams, beams, beams)
    r, logit = ranges[beams], logits[beams]
    points = np.stack([r * np.cos(angles[beams]), r * np.sin(angles[beams])])
    starts = _geometric_starts(beams, r, points, config)
    wide = _extents(points, starts)
    split = np.repeat(wide > config.split_extent, _counts(starts, len(beams)))
    from_wide = np.repeat(wide > config.max_extent, _counts(starts, len(beams)))
    starts[1:] |= split[1:] & ((logit[1:] > 0) != (logit[:-1] > 0))
    return _select(beams, logit, points, starts, from_wide, config)


def _view(ranges: FloatArray, angles: FloatArray) -> tuple[float, float]:
    if not np.isfinite(ranges).any():
        return 0.0, -1.0
    low, high = float(angles.min()), float(angles.max())
    beam = (high - low) / max(len(angles) - 1, 1)
    return low - beam / 2, high - low + beam


def _geometric_starts(
    beams: IntArray, r: FloatArray, points: FloatArray, config: FuserConfig
) -> npt.NDArray[np.bool_]:
    """Mask of the beams that begin a segment."""
    step = np.diff(points)
    allowed = config.gap + config.gap_slope * np.minimum(r[1:], r[:-1])
    starts = np.ones(len(beams), dtype=np.bool_)
    starts[1:] = (step * step).sum(0) > allowed * allowed
    starts[1:] |= np.diff(beams) > config.max_missing_beams + 1
    return starts


def _counts(starts: npt.NDArray[np.bool_], total: int) -> IntArray:
    return np.diff(np.append(np.flatnonzero(starts), total))


def _extents(points: FloatArray, starts: npt.NDArray[np.bool_]) -> FloatArray:
    """Diagonal of each segment's bounding box [m]."""
    first = np.flatnonzero(starts)
    size = np.maximum.reduceat(points, first, axis=1) - np.minimum.reduceat(points, first, axis=1)
    extents: FloatArray = np.hypot(size[0], size[1])
    return extents


def _select(
    beams: IntArray,
    logit: FloatArray,
    points: FloatArray,
    starts: npt.NDArray[np.bool_],
    from_wide: npt.NDArray[np.bool_],
    config: FuserConfig,
) -> Membership:
    """Keep the segments that can be cones, at most ``max_segments`` by mean logit."""
    first = np.flatnonzero(starts)
    counts = _counts(starts, len(beams))
    mean = np.add.reduceat(logit, first) / counts
    keep = (_extents(points, starts) <= config.max_extent) & (~from_wide[first] | (mean > 0))
    kept = np.flatnonzero(keep)
    if len(kept) > config.max_segments:
        best = np.argsort(-mean[kept], kind="stable")[: config.max_segments]
        kept = np.sort(kept[best])
    position = np.full(len(first), -1)
    position[kept] = np.arange(len(kept))
    of_beam = np.repeat(position, counts)
    chosen = of_beam >= 0
    return Membership(beams[chosen], of_beam[chosen], counts[kept])


class SegmentBeams(NamedTuple):
    """Beams of all candidates of a scan, in the order of the scan.

    Attributes:
        ranges: ``(n,)`` [m].
        angles: ``(n,)`` [rad].
        logits: ``(n,)``.
        segments: ``(n,)`` int64 candidate of each beam, ascending; no gradient.
        counts: ``(S,)`` beams per candidate; no gradient.
        step: ``()`` angle between neighbouring beams of the scan [rad].
        view: ``(2,)`` what the scan covers: lowest angle and width [rad]; the width of a scan
            without a single return, which has seen nothing at all, is -1.
        motions: ``(n, 3)`` pose of the LiDAR at each beam, in its frame at the stamp of the scan:
            x, y [m], yaw [rad]; zeros where the scan has none.
        scatter: ``()`` standard deviation of a return about its neighbours on cones, measured in
            this scan: noise of this sensor in this weather [m]; no gradient.
    """

    ranges: Tensor
    angles: Tensor
    logits: Tensor
    segments: Tensor
    counts: Tensor
    step: Tensor
    view: Tensor
    motions: Tensor
    scatter: Tensor


def group_beams(segmented: SegmentedScan, config: FuserConfig) -> SegmentBeams:
    """Beams of the cone-sized segments of a scan; gradients flow to ranges and logits.

    Raises:
        ValueError: if ranges, angles, logits and motions differ in shape.
    """
    ranges, angles, logits, _, motions = segmented
    check_shape(ranges, None, name="ranges")
    check_shape(angles, len(ranges), name="angles")
    check_shape(logits, len(ranges), name="logits")
    if motions is not None:
        check_shape(motions, len(ranges), 3, name="motions")
    ranges_np, angles_np, logits_np = (t.detach().cpu().numpy() for t in (ranges, angles, logits))
    members = find_segments(ranges_np, angles_np, logits_np, config)
    beams = torch.from_numpy(members.beams).to(ranges.device)
    step = abs(float(angles_np[1] - angles_np[0])) if len(angles_np) > 1 else 0.0
    return SegmentBeams(
        ranges[beams],
        angles[beams],
        logits[beams],
        torch.from_numpy(members.segments).to(ranges.device),
        torch.from_numpy(members.counts).to(ranges),
        ranges.new_tensor(step),
        ranges.new_tensor(_view(ranges_np, angles_np)),
        ranges.new_zeros(len(beams), 3) if motions is None else motions[beams],
        ranges.new_tensor(range_scatter(ranges_np, logits_np, members)),
    )


def range_scatter(ranges: FloatArray, logits: FloatArray, members: Membership) -> float:
    """Standard deviation of a return about its neighbours on the same candidate [m].

    By the second differences of three returns in a row that the network takes for a cone: on a
    smooth surface they hold nothing but noise. Few of them are blended with what is usual.

    Args:
        ranges: ``(B,)`` of the scan [m].
        logits: ``(B,)`` of its beams.
        members: its candidates.
    """
    beams, segments = members.beams, members.segments
    in_row = (segments[2:] == segments[:-2]) & (beams[2:] - beams[:-2] == 2)
    r = ranges[beams]
    bends = np.abs(r[2:] - 2 * r[1:-1] + r[:-2])[in_row & (logits[beams[1:-1]] > 0)]
    if not len(bends):
        return USUAL_SCATTER
    measured = min(float(np.median(bends)) / BEND_MEDIAN, MAX_SCATTER)
    total = len(bends) * measured**2 + USUAL_WEIGHT * USUAL_SCATTER**2
    return math.sqrt(total / (len(bends) + USUAL_WEIGHT))


def in_view(positions: Tensor, view: Tensor) -> Tensor:
    """Mask ``(C,)`` of ``(C, 2)`` positions in the LiDAR frame that a scan covers; no gradient.

    At any range: far boxes without a segment are too uncertain in place to count as seen.

    Args:
        positions: [m].
        view: as in :class:`SegmentBeams`.
    """
    x, y = positions.detach().unbind(-1)
    low, width = view.unbind()
    return (torch.atan2(y, x) - low).remainder(2 * math.pi) <= width


def lidar_candidates(
    segmented: SegmentedScan, scalars: ScalarValues, config: FuserConfig
) -> LidarCandidates:
    """Cone candidates of a scan, in the order of its beams.

    Raises:
        ValueError: if ranges, angles and logits differ in shape.
    """
    return segment_candidates(group_beams(segmented, config), scalars, config)


def segment_candidates(
    beams: SegmentBeams, scalars: ScalarValues, config: FuserConfig
) -> LidarCandidates:
    """Cone candidates of grouped beams.

    A candidate's log odds come from the mean of its beam *logits*: no saturation, so that a
    network which is confidently wrong still gets gradients. Its position weights beams by their
    cone probability. A candidate is measured from where the LiDAR was at the mean time of its
    beams; within them it counts as still, which the mean makes exact for an even motion.
    """
    counts = beams.counts
    weight = beams.logits.sigmoid() + config.weight_floor
    reach = weight * (beams.ranges + scalars.cone_radius)
    columns = [beams.logits, weight, reach * beams.angles.cos(), reach * beams.angles.sin()]
    columns += list((weight[:, None] * beams.motions).unbind(-1))
    sums = counts.new_zeros(counts.shape[0], 7)  # len() would become a constant of a trace
    sums = sums.index_add(0, beams.segments, torch.stack(columns, dim=-1))
    measured = sums[:, 2:4] / sums[:, 1:2]
    distance = measured.norm(dim=-1)
    spacing = distance * beams.step
    expected = (config.cone_width / spacing.clamp(min=1e-6)).clamp(min=1.0)
    coverage = (counts / expected.detach()).clamp(max=1.0).log()
    log_odds = scalars.beam_gain * sums[:, 0] / counts
    log_odds = log_odds + scalars.coverage_gain * coverage + scalars.lidar_bias
    radial = scalars.range_noise * (1 + distance * scalars.range_growth)
    radial = radial * radial + (scalars.scatter_gain * beams.scatter) ** 2
    noise = torch.stack([radial, scalars.bearing_noise**2 + spacing * spacing / 12], -1)
    variances = noise / counts[:, None] + scalars.position_floor**2
    motions = sums[:, 4:] / sums[:, 1:2]
    turn = motions[:, 2]
    variances = variances + motion_variances(motions, distance, config)
    positions = turned(measured, turn) + motions[:, :2]
    directions = turned(measured / distance[:, None], turn)
    return LidarCandidates(positions, directions, variances, log_odds)


def motion_variances(motions: Tensor, distance: Tensor, config: FuserConfig) -> Tensor:
    """Variances ``(S, 2)`` along and across that wrong odometry gives to compensated places [m^2].

    The shift is wrong in any direction by a share of itself, the turn across the line of sight.

    Args:
        motions: ``(S, 3)`` or ``(3,)`` x, y [m], yaw [rad] that were compensated.
        distance: ``(S,)`` of the places [m].
        config: with the relative error of the odometry.
    """
    square = motions * motions
    shift = square[..., :2].sum(-1) + 0 * distance
    variances = torch.stack([shift, shift + square[..., 2] * distance * distance], dim=-1)
    return config.odometry_error**2 * variances
