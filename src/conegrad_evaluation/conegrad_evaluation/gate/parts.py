"""The parts of a comparison: all frames, bags, lights, range bins, classes and disturbances."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from conegrad_core.cones import CLASS_NAMES
from conegrad_evaluation.metrics.matching import Booleans, Floats
from conegrad_evaluation.metrics.range_bins import BIN_NAMES
from conegrad_evaluation.paired.paired_difference import PairedRates
from conegrad_evaluation.paired.paired_frames import FrameCounts

ALL = "all frames"
GROUPS = ("all", "bag", "light", "range", "class", "disturbed")


class Part(NamedTuple):
    """A rate of some of the frames or cones, of both systems.

    Attributes:
        name: of the part, such as ``range 5-10 m``.
        group: one of :data:`GROUPS`.
        figure: the rate: ``f1_colour``, ``recall`` or ``recall_colour``.
        hits: ``(2, F)`` of the old and the new system.
        totals: ``(2, F)``; the rate is the sum of hits over the sum of totals.
        units: ``(F,)`` true cones.
    """

    name: str
    group: str
    figure: str
    hits: Floats
    totals: Floats
    units: Floats


Pair = tuple[FrameCounts, FrameCounts]  # of the old and the new system


def parts_of(
    counts: Pair,
    bags: Sequence[str],
    lights: Sequence[str],
    disturbed: Mapping[str, tuple[Pair, Sequence[int]]],
) -> list[Part]:
    """All parts that hold a true cone or a perceived one.

    Args:
        counts: of F frames.
        bags: ``(F,)`` name of the bag of each frame.
        lights: ``(F,)`` light of each frame, empty where it is not known.
        disturbed: by name of the disturbance, counts of some frames, and which frames these are.
    """
    everywhere = np.ones(len(bags), dtype=np.bool_)
    parts = [_f1(ALL, "all", counts, everywhere)]
    for group, names in (("bag", bags), ("light", lights)):
        found = [name for name in dict.fromkeys(names) if name]
        if len(found) > 1:
            parts += [
                _f1(f"{group} {name}", group, counts, np.array([n == name for n in names]))
                for name in found
            ]
    for index, name in enumerate(BIN_NAMES):
        parts.append(_recall(f"range {name}", "range", counts, index))
    for index, name in enumerate(CLASS_NAMES):
        parts.append(_recall(f"class {name}", "class", counts, index))
    for name, (pair, frames) in disturbed.items():
        parts.append(_spread_out(_f1(f"disturbed {name}", "disturbed", pair), frames, len(bags)))
    return [part for part in parts if part.totals.sum() > 0]


def joined_rates(parts: Sequence[Part]) -> PairedRates:
    """The rates of K parts as columns."""
    return PairedRates(
        np.stack([part.hits for part in parts], axis=-1),
        np.stack([part.totals for part in parts], axis=-1),
        np.stack([part.units for part in parts], axis=-1),
    )


def _f1(name: str, group: str, counts: Pair, frames: Booleans | None = None) -> Part:
    chosen: Floats = np.ones(len(counts[0].true)) if frames is None else frames.astype(np.float64)
    hits = np.stack([2.0 * c.right * chosen for c in counts])
    totals = np.stack([(c.predicted + c.true) * chosen for c in counts])
    return Part(name, group, "f1_colour", hits, totals, counts[0].true * chosen)


def _recall(name: str, group: str, counts: Pair, column: int) -> Part:
    if group == "range":
        found, true = [c.range_found for c in counts], [c.range_true for c in counts]
    else:
        found, true = [c.class_right for c in counts], [c.class_true for c in counts]
    hits = np.stack([table[:, column] for table in found]).astype(np.float64)
    totals = np.stack([table[:, column] for table in true]).astype(np.float64)
    figure = "recall" if group == "range" else "recall_colour"
    return Part(name, group, figure, hits, totals, totals[0])


def _spread_out(part: Part, frames: Sequence[int], count: int) -> Part:
    """The part with a column for each of ``count`` frames, zero where it has no frame."""
    rows = list(frames)
    hits, totals, units = np.zeros((2, count)), np.zeros((2, count)), np.zeros(count)
    hits[:, rows], totals[:, rows], units[rows] = part.hits, part.totals, part.units
    return part._replace(hits=hits, totals=totals, units=units)
