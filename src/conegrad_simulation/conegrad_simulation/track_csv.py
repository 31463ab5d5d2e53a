"""Cone maps as CSV files: one cone per row, colours by name."""

import csv
import math
from pathlib import Path

import numpy as np

from conegrad_core.cones import CLASS_NAMES, COLOUR_NAMES
from conegrad_nodes.bags.csv_table import csv_rows
from conegrad_simulation.curve import arc_lengths, resample
from conegrad_simulation.scene import Floats, Ints
from conegrad_simulation.track import Track

OWN_COLUMNS = ("x", "y", "colour")
FOREIGN_COLUMNS = ("X", "Y", "cone_type")  # of the EPFL track database
COLOUR_ALIASES = {
    "orange": "small_orange",
    "orange_small": "small_orange",
    "orange_big": "big_orange",
}


def save_csv(track: Track, path: str | Path) -> None:
    """Write the cones of a track, positions to the millimetre."""
    save_cones(track.positions, track.classes, path)


def save_cones(positions: Floats, classes: Ints, path: str | Path) -> None:
    """Write ``(N, 2)`` positions [m], to the millimetre, and ``(N,)`` classes as a cone map."""
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(OWN_COLUMNS)
        for (x, y), colour in zip(positions, classes, strict=True):
            writer.writerow([f"{x:.3f}", f"{y:.3f}", COLOUR_NAMES[colour]])


def read_cones(path: str | Path) -> tuple[Floats, Ints]:
    """Read ``(N, 2)`` positions [m] and ``(N,)`` classes of a cone map.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming file, line, value and what was expected.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path}: no such file, expected a map of the cones, CSV with {','.join(OWN_COLUMNS)}"
        )
    with csv_rows(path) as reader:
        columns = _columns(path, reader.fieldnames or ())
        rows = [_read_row(path, reader.line_num, row, columns) for row in reader]
    if not rows:
        raise ValueError(f"{path}: no cone in it, expected at least one row below the header")
    positions = np.array([row[:2] for row in rows], dtype=np.float64)
    return positions, np.array([row[2] for row in rows], dtype=np.int64)


def track_from_csv(path: str | Path) -> Track:
    """Track of a cone map; the centre line runs between blue (left) and yellow (right) cones.

    Raises:
        ValueError: if the file is no cone map, or has too few cones for a line.
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


def _columns(path: str | Path, names: object) -> tuple[str, str, str]:
    found = [str(name) for name in names] if isinstance(names, (list, tuple)) else []
    for columns in (OWN_COLUMNS, FOREIGN_COLUMNS):
        if set(columns) <= set(found):
            return columns
    raise ValueError(
        f"{path}: columns are {found}, expected {','.join(OWN_COLUMNS)} or cone_type,X,Y"
    )


def _read_row(
    path: str | Path, line: int, row: dict[str, str], columns: tuple[str, str, str]
) -> tuple[float, float, int]:
    x, y, colour = (row[column] for column in columns)
    name = (colour or "").strip().lower()
    name = COLOUR_ALIASES.get(name, name)
    if name not in COLOUR_NAMES:
        expected = ", ".join(COLOUR_NAMES)
        raise ValueError(f"{path}, line {line}: colour is {colour!r}, expected one of {expected}")
    return _number(path, line, x), _number(path, line, y), COLOUR_NAMES.index(name)


def _number(path: str | Path, line: int, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path}, line {line}: coordinate is {text!r}, expected metres")
    return value


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
    """The middle that has nothing behind it, else the one nearest to the origin."""
    offset = middles[None] - middles[:, None]
    distance = np.linalg.norm(offset, axis=2)
    is_behind = (np.einsum("ijk,ik->ij", offset, ahead) < -0.3 * distance) & (distance < 8.0)
    alone = np.flatnonzero(~(is_behind & (distance > 1e-6)).any(axis=1))
    candidates = alone if len(alone) else np.arange(len(middles))
    return int(candidates[np.linalg.norm(middles[candidates], axis=1).argmin()])


def _without_repeats(line: Floats) -> Floats:
    steps = np.diff(arc_lengths(line), prepend=-1.0)
    return np.asarray(line[steps > 1e-3])
