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
from conegrad_training.comparison.groups import Group
from conegrad_training.comparison.scenarios import CONTROLS

COLOURS = {
    "simultaneous": ACCENT,
    "individual": WARN,
    "individual_then_simultaneous": GOOD,
    **dict.fromkeys(CONTROLS, GREY),
}
LABEL_WIDTH = 1.0  # of the label of a point, in decades
OTHER = "#8fb3ef"  # other patterns of the end loss


def score_plot(groups: Sequence[Group], title: str) -> Figure:
    """f1_colour by pattern: bars of the mean, 95 % intervals, and every seed as a dot."""
    figure, axes = new_figure(7.2, 1.4 + 0.34 * len(groups))
    for row, group in enumerate(groups):
        score = group.metric("f1_colour")
        axes.barh(row, score.mean, color=colour_of(group), height=0.66)
        if not math.isnan(score.half):
            axes.errorbar(score.mean, row, xerr=score.half, color=INK, capsize=3, linewidth=1.2)
        values = [result.reached["f1_colour"] for result in group.results]
        axes.plot(values, [row] * len(values), "o", color=INK, markersize=3)
        axes.annotate(
            f"{score.mean:.3f}", (1.01, row), xycoords=("axes fraction", "data"), va="center"
        )
    first = groups[0].results[0]
    _line(axes, first.start["f1_colour"], "start", BAD)
    if first.intact["f1_colour"] != first.start["f1_colour"]:
        _line(axes, first.intact["f1_colour"], "before it was weakened", MUTED)
    axes.set_yticks(range(len(groups)), [group.label for group in groups])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="F1 with colour", xlim=(0, 1))
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def label_plot(groups: Sequence[Group]) -> Figure:
    """Gain in f1_colour over the label values that it took."""
    figure, axes = new_figure(7.2, 4.2)
    places = []
    for group in groups:
        gain = group.over_seeds(lambda result: result.gain).mean
        for name, marker in (("map_values", "o"), ("frame_values", "D")):
            values = group.over_seeds(lambda result, n=name: getattr(result, n)).mean  # type: ignore[misc]
            axes.plot(max(values, 1.0), gain, marker, color=colour_of(group), markersize=7)
        places.append((max(values, 1.0), gain))
    heights = _apart(places)
    for group, (values, _), height in zip(groups, places, heights, strict=True):
        axes.annotate(
            group.label, (values, height), xytext=(8, -3), textcoords="offset points", fontsize=8
        )
    axes.plot([], [], "o", color=INK, label="each cone of a map measured once")
    axes.plot([], [], "D", color=INK, label="counted anew in every frame")
    axes.set_xscale("symlog", linthresh=10)
    axes.set(xlabel="label values", ylabel="gain in F1 with colour", xlim=(0, 2e6))
    axes.set_title("What a label value buys")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _apart(places: Sequence[tuple[float, float]]) -> list[float]:
    """Heights of labels beside points (x, y), lowered where one would cover another."""
    heights = [y for _, y in places]
    line = 0.045 * max(max(heights) - min(heights), 1e-9)
    placed: list[int] = []
    for index in sorted(range(len(places)), key=lambda i: -places[i][1]):
        for other in placed:  # from the highest down
            is_beside = abs(math.log10(places[index][0] / places[other][0])) < LABEL_WIDTH
            if is_beside and abs(heights[index] - heights[other]) < line:
                heights[index] = heights[other] - line
        placed.append(index)
    return heights


def part_plot(groups: Sequence[Group]) -> Figure:
    """mAP50 of the detector and beam F1 of the segmenter, before and after."""
    figure = Figure(figsize=(9.6, 0.9 + 0.32 * len(groups)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (name, title) in zip(
        panels, (("mAP50", "Detector: mAP50"), ("beam_f1", "LiDAR network: beam F1")), strict=True
    ):
        for row, group in enumerate(groups):
            score = group.metric(name)
            axes.barh(row, score.mean, color=colour_of(group), height=0.66)
            axes.annotate(f"{score.mean:.3f}", (score.mean, row), xytext=(3, 0),
                          textcoords="offset points", va="center", fontsize=8)  # fmt: skip
        _line(axes, groups[0].results[0].start[name], "start", BAD)
        axes.set_title(title)
        axes.set_xlim(0, 1)
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(range(len(groups)), [group.label for group in groups])
    panels[0].invert_yaxis()
    return figure


def shrinking_plot(groups: Sequence[Group]) -> Figure:
    """f1_colour over the number of frames to learn from, a line per pattern."""
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
            counts, [s.low for s in scores], [s.high for s in scores], color=colour, alpha=0.18
        )
    start = groups[0].results[0].start["f1_colour"]
    axes.axhline(start, color=BAD, linewidth=1.0, linestyle="--", label="start")
    axes.set_xscale("log")
    counts = sorted({group.results[0].frames for group in groups})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="frames to learn from", ylabel="F1 with colour")
    axes.set_title("Fewer and fewer frames (band: range over seeds)")
    axes.legend(loc="upper left")  # more frames do not make it worse
    return figure


def colour_of(group: Group) -> str:
    """Colour of the pattern of a group."""
    return COLOURS.get(group.results[0].pattern, OTHER)


def _line(axes: Axes, value: float, label: str, colour: str) -> None:
    axes.axvline(value, color=colour, linewidth=1.2, linestyle="--", label=label)
