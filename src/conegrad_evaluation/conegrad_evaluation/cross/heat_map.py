"""Heat map of a cross evaluation: F1 with colour of every combination."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from conegrad_evaluation.cross.cross_evaluation import CrossEvaluation
from conegrad_evaluation.cross.findings import Findings
from conegrad_evaluation.cross.stage_versions import StageVersion
from conegrad_evaluation.metrics.matching import Floats
from conegrad_evaluation.report.figure_style import ACCENT, CELL_INK, INK, WARN

CELL_WIDTH, CELL_HEIGHT = 0.95, 0.5  # [inch]
LABEL_WIDTH, LABEL_HEIGHT = 1.8, 1.6  # [inch], for names of versions and the title
MAX_LABEL = 24  # characters
DARK = 0.6  # share of the colour scale from which figures are white


def draw_heat_map(evaluation: CrossEvaluation, findings: Findings) -> Figure:
    """One map per combination of the third and later stages; the first two are its axes.

    The best system is framed, and that within the latency budget, where it is another one.
    """
    stages = list(evaluation.versions)
    rows, columns = _axes_of(evaluation, stages)
    groups = _groups(evaluation, stages[2:])
    figure = Figure(
        figsize=(
            (LABEL_WIDTH + CELL_WIDTH * len(columns)) * min(2, len(groups)),
            (LABEL_HEIGHT + CELL_HEIGHT * len(rows)) * math.ceil(len(groups) / 2),
        ),
        layout="constrained",
    )
    shape = (math.ceil(len(groups) / 2), min(2, len(groups)))
    cells = figure.subplots(*shape, squeeze=False).ravel()
    for axes, (title, places) in zip(cells, groups, strict=False):
        _draw(axes, evaluation, findings, places, title)
    for axes in cells[len(groups) :]:
        axes.set_axis_off()
    return figure


def _axes_of(
    evaluation: CrossEvaluation, stages: Sequence[str]
) -> tuple[Sequence[StageVersion | None], Sequence[StageVersion | None]]:
    """Versions in rows and in columns; a single stage has one row."""
    if len(stages) == 1:
        return [None], evaluation.versions[stages[0]]
    return evaluation.versions[stages[0]], evaluation.versions[stages[1]]


def _groups(evaluation: CrossEvaluation, stages: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Places of combinations that agree in some stages, under the names of these versions."""
    groups: dict[str, list[int]] = {}
    for place, combination in enumerate(evaluation.combinations):
        title = ", ".join(str(combination.chosen[stage]) for stage in stages)
        groups.setdefault(title, []).append(place)
    return list(groups.items())


def _draw(
    axes: Axes, evaluation: CrossEvaluation, findings: Findings, places: list[int], title: str
) -> None:
    stages = list(evaluation.versions)
    rows, columns = _axes_of(evaluation, stages)
    scores = np.array([evaluation.scores[place] for place in places]).reshape(len(rows), -1)
    low, high = _bounds(evaluation)
    axes.imshow(scores, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    for place, (row, column) in zip(places, np.ndindex(scores.shape), strict=True):
        share = (scores[row, column] - low) / (high - low)
        axes.text(
            column,
            row,
            f"{scores[row, column]:.3f}",
            ha="center",
            va="center",
            color="white" if share > DARK else CELL_INK,
            fontweight="bold" if place == findings.best else "normal",
        )
        if place == findings.best:
            _frame(axes, row, column, ACCENT)
        elif findings.budget is not None and place == findings.within:
            _frame(axes, row, column, WARN)
    axes.set_xticks(range(len(columns)), [_short(v) for v in columns], rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), [_short(version) for version in rows])
    axes.set_xlabel(stages[min(1, len(stages) - 1)])
    axes.set_ylabel(stages[0] if len(stages) > 1 else "")
    axes.grid(visible=False)
    axes.tick_params(length=0, colors=INK)
    axes.set_title(title or "F1 with colour of each combination")


def _bounds(evaluation: CrossEvaluation) -> tuple[float, float]:
    """Of the colours, the same in all maps."""
    scores: Floats = np.array(evaluation.scores)
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    return low - max(0.3 * (high - low), 1e-3), high + 1e-3


def _frame(axes: Axes, row: int, column: int, colour: str) -> None:
    axes.add_patch(
        Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, fill=False, edgecolor=colour, lw=2.5)
    )


def _short(version: StageVersion | None) -> str:
    label = version.label if version else ""
    return label if len(label) <= MAX_LABEL else f"...{label[3 - MAX_LABEL :]}"
