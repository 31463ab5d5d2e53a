"""Tracks to and from cone maps as CSV files."""

from pathlib import Path

import numpy as np

from conegrad_core.cones import CLASS_NAMES
from conegrad_data.cone_map.cone_map_csv import read_cones, save_cones
from conegrad_simulation.planar import Floats
from conegrad_simulation.track.curve import arc_lengths, resample
from conegrad_simulation.track.track import Track


def save_csv(track: Track, path: str | Path) -> None:
    """Write the cones of a track, positions to the millimetre."""
    save_cones(track.positions, track.classes, path)


def track_from_csv(path: str | Path) -> Track:
    """Track of a cone map; the centre line runs between blue (left) and yellow (right) cones.

    Raises:
        ValueError: if the file is not a cone map, or has too few cones for a line.
    """
    positions, classes = read_cones(path)
    blue = positions[classes == CLASS_NAMES.index("blue")]
    yellow = positions[classes == CLASS_NAMES.index("yellow")]
    if len(blue) < 2 or len(yellow) < 2:
        raise ValueError(
            f"{path}: {len(blue)} blue and {len(yellow)} yellow cones, expected at least 2 of "
            "each for a centre line"
        )
    line, is_closed = _centre_line(blue, yellow)
    return Track(Path(path).stem, positions, classes, line, is_closed)


def _centre_line(blue: Floats, yellow: Floats) -> tuple[Floats, bool]:
    """Order the middles of each blue cone and its nearest yellow one into a line."""
    nearest = np.linalg.norm(blue[:, None] - yellow[None], axis=2).argmin(axis=1)
    middles = (blue + yellow[nearest]) / 2
    left = blue - yellow[nearest]
    ahead = np.stack([left[:, 1], -left[:, 0]], axis=1)  # blue is left of the way ahead
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    order = _chain(middles, ahead)
    line = middles[order]
    gaps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    end_gap = float(np.linalg.norm(line[-1] - line[0]))
    is_closed = len(line) > 5 and end_gap < max(8.0, 2.0 * float(np.median(gaps)))
    line = _without_repeats(line)
    return resample(line, 0.25, is_closed=is_closed), is_closed


def _chain(middles: Floats, ahead: Floats) -> list[int]:
    """Greedy walk that always goes to the nearest unvisited middle ahead."""
    start = _first(middles, ahead)
    order, remaining = [start], set(range(len(middles))) - {start}
    while remaining:
        here = order[-1]
        candidates = np.array(sorted(remaining))
        offset = middles[candidates] - middles[here]
        distance = np.linalg.norm(offset, axis=1)
        cosine = (offset @ ahead[here]) / np.maximum(distance, 1e-9)
        cost = np.where(cosine > -0.2, distance * (1.5 - 0.5 * cosine), np.inf)
        best = int(cost.argmin())
        if not np.isfinite(cost[best]) or distance[best] > 15.0:
            break
        order.append(int(candidates[best]))
        remaining.discard(order[-1])
    return order


def _first(middles: Floats, ahead: Floats) -> int:
    """The middle without another one behind it, else the one nearest to the origin."""
    offset = middles[None] - middles[:, None]
    distance = np.linalg.norm(offset, axis=2)
    is_behind = (np.einsum("ijk,ik->ij", offset, ahead) < -0.3 * distance) & (distance < 8.0)
    alone = np.flatnonzero(~(is_behind & (distance > 1e-6)).any(axis=1))
    candidates = alone if len(alone) else np.arange(len(middles))
    return int(candidates[np.linalg.norm(middles[candidates], axis=1).argmin()])


def _without_repeats(line: Floats) -> Floats:
    steps = np.diff(arc_lengths(line), prepend=-1.0)
    return np.asarray(line[steps > 1e-3])
