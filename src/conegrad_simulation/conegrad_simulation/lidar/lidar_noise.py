"""Noise model of a planar LiDAR: range noise, lost and mixed returns, spurious returns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from conegrad_simulation.lidar.ray_casting import GROUND, NOTHING, Hits
from conegrad_simulation.planar import Bools, Floats


class Surfaces(Protocol):
    """What the noise depends on, by target row: planar targets and solids have it."""

    @property
    def is_cone(self) -> Bools:
        """Whether the target is a cone."""

    @property
    def depth_scatter(self) -> Floats:
        """Scatter of the returns along the beam [m]."""


@dataclass(frozen=True)
class LidarNoise:
    """Imperfections of one sensor in one scan.

    Attributes:
        range_std: scatter of the range [m].
        range_std_per_m: scatter that grows with range [m/m].
        dropout: probability that any return is lost.
        fading: range at which half of the returns of ordinary surfaces are lost [m].
        cone_fading: the same for cones, whose sides lean away and are narrow [m].
        edge_dropout: probability that a return is lost where the beam grazes the surface.
        ground_sine: sine of the grazing angle at which half of the ground returns are lost.
        ground_roughness: scatter of ground returns, relative to range.
        mixed: probability that a beam at an edge returns a range between both surfaces.
        specks: expected number of spurious returns per scan.
        max_range: readings beyond this are lost [m].
    """

    range_std: float = 0.01
    range_std_per_m: float = 0.0005
    dropout: float = 0.003
    fading: float = 80.0
    cone_fading: float = 60.0
    edge_dropout: float = 0.3
    ground_sine: float = 0.006
    ground_roughness: float = 0.005
    mixed: float = 0.15
    specks: float = 0.5
    max_range: float = 30.0


def apply_noise(
    hits: Hits, targets: Surfaces, height: float, noise: LidarNoise, rng: np.random.Generator
) -> tuple[Floats, Bools]:
    """Readings and labels of one scan.

    Args:
        hits: exact nearest hits of B beams.
        targets: targets that the hits refer to.
        height: of the sensor above the ground [m].
        noise: parameters of the noise.
        rng: source of every draw.

    Returns:
        ``(B,)`` ranges [m], NaN without a return, and the ``(B,)`` mask of beams on a cone.
    """
    is_target = hits.target_rows >= 0
    row = np.where(is_target, hits.target_rows, 0)
    is_cone = is_target & _lookup(targets.is_cone, row, False)
    ranges = np.where(hits.target_rows == NOTHING, np.nan, hits.ranges)
    depth_scatter = np.where(is_target, _lookup(targets.depth_scatter, row, 0.0), 0.0)
    ranges, is_cone = _mix(ranges, is_cone, noise.mixed, rng)
    ranges = ranges + _scatter(hits, ranges, depth_scatter, noise, rng)
    lost = rng.random(len(ranges)) < _loss(hits, is_cone, height, noise)
    ranges, is_cone = _add_specks(np.where(lost, np.nan, ranges), is_cone, noise, rng)
    ranges[~((ranges > 0.05) & (ranges <= noise.max_range))] = np.nan
    return ranges, is_cone & np.isfinite(ranges)


def _lookup(values: np.ndarray, row: np.ndarray, empty: float | bool) -> np.ndarray:
    return values[row] if len(values) else np.full(len(row), empty)


def _scatter(
    hits: Hits, ranges: Floats, depth_scatter: Floats, noise: LidarNoise, rng: np.random.Generator
) -> Floats:
    std = noise.range_std + noise.range_std_per_m * np.nan_to_num(ranges)
    std = std + (hits.target_rows == GROUND) * noise.ground_roughness * np.nan_to_num(ranges)
    scatter: Floats = std * rng.standard_normal(len(ranges))
    # Foliage and mesh return from their front or from deeper inside, never from before them.
    return scatter + depth_scatter * np.abs(rng.standard_normal(len(ranges)))


def _loss(hits: Hits, is_cone: Bools, height: float, noise: LidarNoise) -> Floats:
    ranges = np.where(np.isfinite(hits.ranges), hits.ranges, 1.0)
    half = np.where(is_cone, noise.cone_fading, noise.fading)
    fading = 1.0 - 0.5 ** ((ranges / half) ** 2)
    sine = height / np.maximum(ranges, height)
    ground = np.where(hits.target_rows == GROUND, 0.5 ** ((sine / noise.ground_sine) ** 2), 0.0)
    edge = noise.edge_dropout * hits.grazing**4
    kept: Floats = (1 - noise.dropout) * (1 - fading) * (1 - ground) * (1 - edge)
    return 1.0 - kept


def _mix(
    ranges: Floats, is_cone: Bools, probability: float, rng: np.random.Generator
) -> tuple[Floats, Bools]:
    """Blend beams at a range step with the farther surface beside them."""
    mixed, labels = ranges.copy(), is_cone.copy()
    for shift in (1, -1):
        beside = np.roll(ranges, shift)
        step = beside - ranges
        at_edge = (step > 0.15) & (rng.random(len(ranges)) < 0.5 * probability)
        share = rng.random(len(ranges)) ** 2
        mixed[at_edge] = ranges[at_edge] + (share * step)[at_edge]
        labels[at_edge] &= (share * step)[at_edge] < 0.1
    return mixed, labels


def _add_specks(
    ranges: Floats, is_cone: Bools, noise: LidarNoise, rng: np.random.Generator
) -> tuple[Floats, Bools]:
    beams = rng.integers(0, len(ranges), rng.poisson(noise.specks))
    reach = np.fmin(np.nan_to_num(ranges[beams], nan=noise.max_range), noise.max_range)
    ranges[beams] = rng.uniform(0.1, 1.0, len(beams)) * reach
    is_cone[beams] = False
    return ranges, is_cone
