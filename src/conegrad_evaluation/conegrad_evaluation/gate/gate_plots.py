"""Plots of the report of the gate."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.coverage.projection_coverage import Coverage
from conegrad_evaluation.gate.findings import BROKEN, KEPT, OPEN, Finding
from conegrad_evaluation.report.figure_style import (
    BAD,
    CELL_INK,
    GOOD,
    GREY,
    INK,
    LINE,
    WARN,
    new_figure,
)

STATUS_COLOURS = {KEPT: GOOD, BROKEN: BAD, OPEN: WARN}
STATUS_MARKERS = {KEPT: "o", BROKEN: "X", OPEN: "D"}
NONE, SOME, ENOUGH, IMPOSSIBLE = range(4)
CELL_COLOURS = {NONE: BAD, SOME: WARN, ENOUGH: GOOD, IMPOSSIBLE: LINE}
CELL_MARKS = {NONE: "\u00d7", SOME: "\u00b7"}
CELL_NAMES = {
    NONE: "\u00d7 never shown",
    SOME: "\u00b7 shown too seldom",
    ENOUGH: "shown",
    IMPOSSIBLE: "cannot occur, or is not asked for",
}


def difference_plot(findings: Sequence[Finding]) -> Figure:
    """Difference of each part with its interval and its budget, the first part on top."""
    shown = [f for f in findings if f.group != "latency" and math.isfinite(f.difference)]
    figure, axes = new_figure(7.6, 1.4 + 0.27 * len(shown))
    for row, finding in enumerate(shown):
        colour = STATUS_COLOURS.get(finding.status, GREY)
        axes.plot([finding.low, finding.high], [row, row], color=colour, linewidth=2.2)
        marker = STATUS_MARKERS.get(finding.status, "o")
        axes.plot(finding.difference, row, marker, color=colour, markersize=6)
        axes.plot([finding.limit] * 2, [row - 0.4, row + 0.4], color=INK, linewidth=1.2)
    axes.axvline(0.0, color=GREY, linewidth=1.0, zorder=0)
    axes.set_yticks(range(len(shown)), [f"{f.name} ({f.figure})" for f in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("new minus old; the bar is the interval, the black mark the budget")
    axes.grid(axis="y", visible=False)
    names = {KEPT: "kept", BROKEN: "broken", OPEN: "open"}
    handles = [
        Line2D([], [], color=STATUS_COLOURS[key], marker=STATUS_MARKERS[key], label=name)
        for key, name in names.items()
    ]
    handles.append(Line2D([], [], color=GREY, marker="o", label="does not decide"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def coverage_plot(coverage: Coverage, space: ConditionSpace) -> Figure:
    """Which pairs of values were shown, as a matrix of values."""
    values = [(name, value) for name, found in space.values.items() for value in found]
    rows = {value: index for index, value in enumerate(values)}
    cells = np.full((len(values), len(values)), np.nan)
    for pair, blocks in coverage.blocks.items():
        row, column = sorted((rows[pair[0]], rows[pair[1]]), reverse=True)
        needed = coverage.required[pair]
        cells[row, column] = ENOUGH if blocks >= needed else SOME if blocks else NONE
    for row, one in enumerate(values):
        for column, other in enumerate(values[:row]):
            if one[0] != other[0] and np.isnan(cells[row, column]):
                cells[row, column] = IMPOSSIBLE
    figure, axes = new_figure(8.2, 7.4)
    axes.imshow(cells, cmap=ListedColormap(list(CELL_COLOURS.values())), vmin=0, vmax=3)
    for (row, column), kind in np.ndenumerate(cells):
        if kind in CELL_MARKS:
            axes.text(column, row, CELL_MARKS[kind], ha="center", va="center", color=CELL_INK)
    labels = [f"{name}: {value}" for name, value in values]
    axes.set_xticks(range(len(values)), labels, rotation=90)
    axes.set_yticks(range(len(values)), labels)
    axes.grid(visible=False)
    handles = [Patch(color=CELL_COLOURS[kind], label=name) for kind, name in CELL_NAMES.items()]
    axes.legend(handles=handles, loc="upper right")
    return figure
