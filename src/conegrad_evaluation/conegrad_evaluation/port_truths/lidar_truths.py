"""The perfect segmentation of a scan."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from conegrad_core.cones import ConeClass
from conegrad_core.geometry.transforms import turned
from conegrad_core.keypoints.cone_model import BOTTOM_RADII, HEIGHTS, TOP_RADII
from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_core.lidar.segmenter import NO_RETURN_LOGIT
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.port_truths.port_truth import PortCounts, PortTruth
from conegrad_evaluation.port_truths.scene import TrueScene

SURE = 8.0  # logit of a beam that certainly hit a cone
COUNTED_RANGE = 12.0  # [m], cones beyond are not counted
RANGE_TOLERANCE = 0.06  # [m] of a return that is right
NEAR = 0.4  # [m] of a return from the axis of a cone that it may be of
LIDAR_HEIGHT = 0.15  # [m] above the ground where no calibration tells


class SegmentedScanTruth(PortTruth):
    """Returns on every true cone that the scan could hit, labelled; nothing else is a cone.

    The ranges of the beams on cones are true as well: what noise and lost returns cost is the fault
    of the LiDAR and its network, not of the stages behind them.
    """

    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> SegmentedScan:
        """The scan with the returns that the true cones would give."""
        scan: Scan = inputs["Scan"]
        ranges, logits = scan.ranges.clone(), torch.full_like(scan.ranges, -SURE)
        logits[~scan.ranges.isfinite()] = NO_RETURN_LOGIT
        rows = scene.truth.visible_lidar.nonzero()[:, 0]
        positions = scene.in_scan()[rows]
        radii = _radii(scene, rows)
        order = positions.norm(dim=-1).argsort(descending=True)  # nearer cones hide others
        for row in order.tolist():
            beams, hits = _returns(scan, positions[row], float(radii[row]))
            ranges[beams], logits[beams] = hits.to(ranges), SURE
        return SegmentedScan(ranges, scan.angles, logits, scan.times, scan.motions)

    def count(self, scene: TrueScene, value: SegmentedScan) -> PortCounts:
        """Beams on visible cones within :data:`COUNTED_RANGE` that are labelled, at their range."""
        scan = Scan(value.ranges, value.angles, value.times, value.motions)
        truth, places = scene.truth, scene.in_scan()
        near = truth.visible_lidar & (truth.positions.norm(dim=-1) <= COUNTED_RANGE)
        counted = scene._replace(truth=truth._replace(visible_lidar=near))
        expected = self.perfect(counted, {"Scan": scan}, None, FrameContext())
        is_cone = expected.logits > 0
        found = (value.logits.detach() > 0) & value.ranges.isfinite()
        right = is_cone & found & ((value.ranges - expected.ranges).abs() <= RANGE_TOLERANCE)
        elsewhere = found & ~is_cone & ~_on_cones(value, places)
        made = int((is_cone & found).sum()) + int(elsewhere.sum())
        return PortCounts(int(right.sum()), made, int(is_cone.sum()))


def _on_cones(scan: SegmentedScan, places: Tensor) -> Tensor:
    """``(B,)`` mask of returns at true cones, also of those that do not count."""
    points = torch.stack([scan.ranges * scan.angles.cos(), scan.ranges * scan.angles.sin()], -1)
    if not len(places):
        return torch.zeros(len(points), dtype=torch.bool)
    return torch.cdist(points.nan_to_num(1e6), places.to(points)).amin(1) <= NEAR


def _radii(scene: TrueScene, rows: Tensor) -> Tensor:
    """``(M,)`` radius of each cone where the scan plane cuts it [m]."""
    classes = scene.truth.classes[rows].clamp(max=ConeClass.BIG_ORANGE)
    heights, bottom, top = (torch.tensor(v)[classes] for v in (HEIGHTS, BOTTOM_RADII, TOP_RADII))
    height = scene.calibration.lidar_height if scene.calibration else LIDAR_HEIGHT
    share = (float(height) / heights).clamp(0.0, 1.0)
    return bottom + (top - bottom) * share


def _returns(scan: Scan, position: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """Beams ``(b,)`` that hit a cylinder, one at least, and their ranges ``(b,)`` [m]."""
    place = _seen_from_beams(scan, position)
    distance = place.norm(dim=-1).clamp(min=radius + 1e-3)
    bearing = torch.atan2(place[..., 1], place[..., 0])
    apart = (scan.angles - bearing + math.pi).remainder(2 * math.pi) - math.pi
    across = distance * apart.sin()
    hit = (across.abs() < radius) & (apart.abs() < math.pi / 2)
    hit[apart.abs().argmin()] = True
    hit &= _turn_of(scan, hit, distance)
    beams = hit.nonzero()[:, 0]
    across, distance = across[beams], distance.expand(len(hit))[beams]
    depth = (radius**2 - across.square()).clamp(min=0.0).sqrt()
    along = (distance.square() - across.square()).clamp(min=0.0).sqrt()
    return beams, along - depth


def _turn_of(scan: Scan, hit: Tensor, distance: Tensor) -> Tensor:
    """``(B,)`` mask of the turn of a scan of several that has most returns of a thing.

    Args:
        scan: whose angles may go on beyond a full turn.
        hit: ``(B,)`` beams in the direction of the thing.
        distance: ``()`` or ``(B,)`` of the thing from the LiDAR [m].
    """
    beams = len(scan.angles)
    span = abs(float(scan.angles[-1] - scan.angles[0])) * beams / max(beams - 1, 1)
    turns = max(1, round(span / (2 * math.pi)))
    turn = torch.arange(beams, device=hit.device) * turns // beams
    there = hit & ((scan.ranges - distance).abs() <= RANGE_TOLERANCE)
    returns = torch.bincount(turn[there], minlength=turns)
    pointing = torch.bincount(turn[hit], minlength=turns) > 0
    return turn == (returns + pointing).argmax()


def _seen_from_beams(scan: Scan, position: Tensor) -> Tensor:
    """``(2,)`` position, or ``(B, 2)`` from where the LiDAR was at each beam [m]."""
    if scan.motions is None:
        return position
    return turned(position - scan.motions[:, :2], -scan.motions[:, 2])
