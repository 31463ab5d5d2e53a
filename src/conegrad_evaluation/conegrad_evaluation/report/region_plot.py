"""Plot and table of what the error regions of the covariances hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.metrics.error_regions import ALL, ErrorRegions
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.figure_style import ACCENT, GOOD, GREY, INK, MUTED, new_figure

Bands = Mapping[str, ErrorRegions]

TOLERANCE = 0.05  # of the share that a region holds, shaded
OFFSET = 0.12  # between the two points of a range bin


def region_plot(evaluation: Evaluation) -> Figure:
    """Shares of errors within the 50 and 90 % regions by range, with 95 % intervals."""
    figure, axes = new_figure()
    bands = {name: r for name, r in evaluation.error_regions[ALL].items() if r.count}
    for level in (0.5, 0.9):
        axes.axhline(level, color=MUTED, linestyle="--", linewidth=1)
        axes.axhspan(level - TOLERANCE, level + TOLERANCE, color=GREY, alpha=0.2, linewidth=0)
    shares_50 = [(r.inside_50, r.inside_50_interval) for r in bands.values()]
    shares_90 = [(r.inside_90, r.inside_90_interval) for r in bands.values()]
    _points(axes, shares_50, -OFFSET, "o", ACCENT, "within the 50 % region")
    _points(axes, shares_90, OFFSET, "s", GOOD, "within the 90 % region")
    for place, regions in enumerate(bands.values()):
        axes.annotate(
            f"{regions.count} cones\nNEES {number(regions.mean_nees, 1)}",
            (place, 0.02), ha="center", color=INK, fontsize=9,
        )  # fmt: skip
    axes.set_xticks(range(len(bands)), list(bands))
    axes.set(xlabel="range of the truth", ylabel="share of the errors", ylim=(0, 1.04))
    axes.set_xlim(-0.6, max(len(bands), 1) - 0.4)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(visible=False, axis="x")
    axes.set_title("Errors within the regions that the covariances state", pad=26)
    if bands:
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)
    return figure


def _points(
    axes: Axes,
    shares: list[tuple[float, Interval]],
    offset: float,
    marker: str,
    colour: str,
    name: str,
) -> None:
    values = np.array([share for share, _ in shares])
    low = np.array([interval.low for _, interval in shares])
    high = np.array([interval.high for _, interval in shares])
    reach = np.nan_to_num(np.stack([values - low, high - values])).clip(min=0.0)
    places = np.arange(len(values)) + offset
    axes.errorbar(places, values, reach, fmt=marker, color=colour, capsize=3, label=name)


def region_table(evaluation: Evaluation) -> dict[str, Any]:
    """The same as a table, by source and range."""
    names = {ALL: "all", "camera": "camera", "lidar": "LiDAR", "both": "both"}
    rows = [
        [f"{names[source]}, {of_range}", *_cells(regions)]
        for source, bands in evaluation.error_regions.items()
        for of_range, regions in bands.items()
        if regions.count
    ]
    return {
        "title": "Errors within the regions of the covariances, with 95 % intervals",
        "header": ["source, range", "cones", "NEES", "50 % region", "90 % region"],
        "rows": rows,
    }


def _cells(regions: ErrorRegions) -> list[str]:
    return [
        str(regions.count),
        number(regions.mean_nees, 2),
        _share(regions.inside_50, regions.inside_50_interval),
        _share(regions.inside_90, regions.inside_90_interval),
    ]


def _share(value: float, interval: Interval) -> str:
    return f"{number(value, 2)} ({number(interval.low, 2)} to {number(interval.high, 2)})"
