"""Plots of a comparison."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conegrad_evaluation.report.figure_style import (
    ACCENT,
    BAD,
    GOOD,
    GREY,
    INK,
    MUTED,
    WARN,
    new_figure,
)
from conegrad_training.comparison.groups import RunGroup
from conegrad_training.comparison.scenarios import CONTROLS
from conegrad_training.comparison.tables import part_figures, title_of

COLOURS = {
    "simultaneous": ACCENT,
    "individual": WARN,
    "individual_then_simultaneous": GOOD,
    **dict.fromkeys(CONTROLS, GREY),
}
LABEL_WIDTH = 1.0  # of the label of a point, in decades
OTHER = "#8fb3ef"  # other patterns with the end loss


def score_plot(groups: Sequence[RunGroup], title: str) -> Figure:
    """f1_colour by pattern: bars of the mean, 95 % intervals, and every seed as a dot."""
    figure, axes = new_figure(7.2, 1.4 + 0.34 * len(groups))
    for row, group in enumerate(groups):
        score = group.metric("f1_colour")
        axes.barh(row, score.mean, color=colour_of(group), height=0.66)
        if not math.isnan(score.half_width):
            axes.errorbar(
                score.mean, row, xerr=score.half_width, color=INK, capsize=3, linewidth=1.2
            )
        values = [result.after["f1_colour"] for result in group.results]
        axes.plot(values, [row] * len(values), "o", color=INK, markersize=3)
        axes.annotate(
            f"{score.mean:.3f}", (1.01, row), xycoords=("axes fraction", "data"), va="center"
        )
    first = groups[0].results[0]
    _line(axes, first.baseline["f1_colour"], "baseline", BAD)
    if first.before_degradation["f1_colour"] != first.baseline["f1_colour"]:
        _line(axes, first.before_degradation["f1_colour"], "before degradation", MUTED)
    axes.set_yticks(range(len(groups)), [group.label for group in groups])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="F1 with colour", xlim=(0, 1))
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def label_plot(groups: Sequence[RunGroup]) -> Figure:
    """Gain in f1_colour over the label values used."""
    figure, axes = new_figure(7.2, 4.2)
    points = []
    for group in groups:
        gain = group.over_seeds(lambda result: result.gain).mean
        for name, marker in (("map_values", "o"), ("frame_values", "D")):
            values = group.over_seeds(lambda result, n=name: getattr(result, n)).mean  # type: ignore[misc]
            axes.plot(max(values, 1.0), gain, marker, color=colour_of(group), markersize=7)
        points.append((max(values, 1.0), gain))
    heights = _apart(points)
    for group, (values, _), height in zip(groups, points, heights, strict=True):
        axes.annotate(
            group.label, (values, height), xytext=(8, -3), textcoords="offset points", fontsize=8
        )
    axes.plot([], [], "o", color=INK, label="each cone of a map measured once")
    axes.plot([], [], "D", color=INK, label="counted again in every frame")
    axes.set_xscale("symlog", linthresh=10)
    axes.set(xlabel="label values", ylabel="gain in F1 with colour", xlim=(0, 2e6))
    axes.set_title("Gain by label values")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _apart(points: Sequence[tuple[float, float]]) -> list[float]:
    """Heights of labels beside points (x, y), lowered where one would cover another."""
    heights = [y for _, y in points]
    line = 0.045 * max(max(heights) - min(heights), 1e-9)
    placed: list[int] = []
    for index in sorted(range(len(points)), key=lambda i: -points[i][1]):
        for other in placed:  # from the highest down
            is_beside = abs(math.log10(points[index][0] / points[other][0])) < LABEL_WIDTH
            if is_beside and abs(heights[index] - heights[other]) < line:
                heights[index] = heights[other] - line
        placed.append(index)
    return heights


def part_plot(groups: Sequence[RunGroup]) -> Figure:
    """Figures of the ports before the cones, before and after."""
    names = part_figures(groups)
    size = (1.0 + 4.3 * len(names), 0.9 + 0.32 * len(groups))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for row, group in enumerate(groups):
            score = group.metric(name)
            axes.barh(row, score.mean, color=colour_of(group), height=0.66)
            axes.annotate(f"{score.mean:.3f}", (score.mean, row), xytext=(3, 0),
                          textcoords="offset points", va="center", fontsize=8)  # fmt: skip
        _line(axes, groups[0].results[0].baseline[name], "baseline", BAD)
        axes.set_title(title_of(name))
        highest = max(group.metric(name).maximum for group in groups)
        axes.set_xlim(0, 1 if highest <= 1 else None)
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(range(len(groups)), [group.label for group in groups])
    panels[0].invert_yaxis()
    return figure


def shrinking_plot(groups: Sequence[RunGroup]) -> Figure:
    """f1_colour over the number of training frames, a line per pattern."""
    figure, axes = new_figure(6.4, 3.8)
    patterns = list(dict.fromkeys(group.results[0].pattern for group in groups))
    for pattern in patterns:
        line = sorted(
            (group.results[0].frames, group.metric("f1_colour"))
            for group in groups
            if group.results[0].pattern == pattern
        )
        counts, scores = [count for count, _ in line], [score for _, score in line]
        colour = COLOURS.get(pattern, OTHER)
        axes.plot(
            counts, [s.mean for s in scores], "o-", color=colour, label=pattern.replace("_", " ")
        )
        axes.fill_between(
            counts,
            [s.minimum for s in scores],
            [s.maximum for s in scores],
            color=colour,
            alpha=0.18,
        )
    baseline = groups[0].results[0].baseline["f1_colour"]
    axes.axhline(baseline, color=BAD, linewidth=1.0, linestyle="--", label="baseline")
    axes.set_xscale("log")
    counts = sorted({group.results[0].frames for group in groups})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="training frames", ylabel="F1 with colour")
    axes.set_title("Shrinking training data (band: range over seeds)")
    axes.legend(loc="upper left")  # free: the score grows with the frames
    return figure


def colour_of(group: RunGroup) -> str:
    """Colour of the pattern of a group."""
    return COLOURS.get(group.results[0].pattern, OTHER)


def _line(axes: Axes, value: float, label: str, colour: str) -> None:
    axes.axvline(value, color=colour, linewidth=1.2, linestyle="--", label=label)
