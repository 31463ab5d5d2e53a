"""Plots of the metrics."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from conegrad_core.cones import CLASS_NAMES, COLOUR_NAMES, ConeClass
from conegrad_evaluation.metrics.calibration import CHI2_95
from conegrad_evaluation.metrics.curve import PrecisionRecall
from conegrad_evaluation.metrics.error_regions import matched_nees
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.position import along_and_across, matched_errors
from conegrad_evaluation.metrics.records import Records
from conegrad_evaluation.report.figure_style import (
    ACCENT,
    BAD,
    CELL_INK,
    GOOD,
    GREY,
    HATCHES,
    INK,
    MUTED,
    WARN,
    new_figure,
)

Floats = npt.NDArray[np.float64]

RANGE_STEP = 2.0  # [m], bins over range
MIN_IN_BIN = 5  # matches, for percentiles
NEES_SHOWN = 12.0
SCATTER_POINTS = 4000


def precision_recall_plot(evaluation: Evaluation) -> Figure:
    """Both curves over the existence threshold, with the operating point."""
    figure, axes = new_figure()
    _curve(axes, evaluation.curve, GREY, "colour ignored", "--")
    _curve(axes, evaluation.curve_colour, ACCENT, "colour counts", "-")
    counts = evaluation.total.counts
    for recall, precision in (
        (counts.recall, counts.precision),
        (counts.recall_colour, counts.precision_colour),
    ):
        axes.plot(recall, precision, "o", color=INK, markersize=7, zorder=5)
    axes.plot([], [], "o", color=INK, markersize=7, label="operating point")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.04))
    axes.set_title("Precision and recall over the existence threshold")
    axes.legend(loc="lower left")
    return figure


def _curve(axes: Axes, curve: PrecisionRecall, colour: str, name: str, line: str) -> None:
    label = f"{name} (AP {curve.average_precision:.3f})"
    axes.plot(curve.recall, curve.precision, line, color=colour, label=label,
              drawstyle="steps-post")  # fmt: skip


def outcome_plot(records: Records) -> Figure:
    """Shares of right, wrongly coloured and missed truth over range."""
    figure, axes = new_figure()
    truth = records.truth
    edges = _range_edges(truth.distances)
    total = np.histogram(truth.distances, edges)[0]
    parts = (
        ("right", truth.right, GOOD),
        ("wrong colour", truth.found & ~truth.right, WARN),
        ("missed", ~truth.found, BAD),
    )
    bottom = np.zeros(len(total))
    for name, mask, colour in parts:
        share = np.histogram(truth.distances[mask], edges)[0] / np.maximum(total, 1)
        axes.bar(edges[:-1], share, np.diff(edges) * 0.9, bottom, align="edge", color=colour,
                 hatch=HATCHES[colour], edgecolor="white", linewidth=0, label=name)  # fmt: skip
        bottom += share
    for left, number in zip(edges[:-1], total, strict=True):
        if number:
            axes.annotate(
                f"{number}",
                (left + 0.45 * RANGE_STEP, 1.01),
                ha="center",
                color=MUTED,
                fontsize=9,
            )
    axes.set(xlabel="range of the truth [m]", ylabel="share of the truth", ylim=(0, 1.08))
    axes.set_xlim(0, edges[-1])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("Detection outcome of the true cones", pad=26)
    _legend_above(axes)
    return figure


def error_plot(records: Records) -> Figure:
    """Position error along and across the ray, over range."""
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    errors, truth_positions = matched_errors(records)
    distances = np.hypot(*truth_positions.T)
    parts = along_and_across(errors, truth_positions)
    chosen = _thinned(len(errors))
    for axes, part, name in zip((upper, lower), parts, ("along", "across"), strict=True):
        axes.scatter(distances[chosen], 100 * part[chosen], s=5, color=ACCENT, alpha=0.3,
                     linewidths=0, rasterized=True)  # fmt: skip
        _percentile_band(axes, distances, 100 * part)
        axes.axhline(0, color=GREY, linewidth=0.8)
        limit = max(1.0, 100 * float(np.percentile(np.abs(part), 99))) if len(part) else 1.0
        axes.set(ylim=(-1.15 * limit, 1.15 * limit), ylabel=f"{name} [cm]")
    upper.set_title("Position error along and across the ray", pad=26)
    _legend_above(upper)
    lower.set(xlabel="range of the truth [m]", xlim=(0, None))
    return figure


def _percentile_band(axes: Axes, distances: Floats, values: Floats) -> None:
    edges = _range_edges(distances)
    bins = np.digitize(distances, edges) - 1
    rows = [
        (float((edges[i] + edges[i + 1]) / 2), *np.percentile(values[bins == i], [5, 50, 95]))
        for i in range(len(edges) - 1)
        if (bins == i).sum() >= MIN_IN_BIN
    ]
    if rows:
        centre, low, middle, high = np.array(rows).T
        axes.fill_between(centre, low, high, color=INK, alpha=0.12, linewidth=0, label="5 to 95 %")
        axes.plot(centre, middle, color=INK, marker="o", markersize=3, label="median")


def confusion_plot(evaluation: Evaluation) -> Figure:
    """Colours of matched cones, each row in shares of the true colour."""
    figure, axes = new_figure(5.4, 3.9)
    unseen = np.array(evaluation.confusion_unseen)
    table = np.column_stack([np.array(evaluation.confusion), unseen])
    table[:, ConeClass.UNKNOWN] -= unseen
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), number in np.ndenumerate(table):
        if table[row].sum():
            text = f"{shares[row, column]:.0%}\n{number}" if number else "0"
            ink = "white" if shares[row, column] > 0.6 else CELL_INK
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=9.5)
        elif column == 0:
            axes.text(2.5, row, "none matched", ha="center", va="center", color=CELL_INK)
        if column in (row, len(COLOUR_NAMES)) and table[row].sum():
            axes.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False,
                                     edgecolor=CELL_INK, linewidth=1.6))  # fmt: skip
    names = [name.replace("_", " ") for name in COLOUR_NAMES]
    columns = [*(name.replace(" ", "\n") for name in names), "no camera\nview"]
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(CLASS_NAMES)), names[: len(CLASS_NAMES)])
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        for label in labels:
            label.set_color(INK)
    axes.set(xlabel="given colour", ylabel="true colour")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    right = int(np.trace(table) + unseen.sum())
    axes.set_title(f"Colours of matched cones: {right} of {table.sum()} right")
    return figure


def reliability_plot(evaluation: Evaluation) -> Figure:
    """Share of cones that exist over their existence probability."""
    figure, axes = new_figure()
    result = evaluation.reliability
    edges, counts = np.array(result.edges), np.array(result.counts)
    share = counts / max(counts.sum(), 1)
    axes.bar(edges[:-1], share, np.diff(edges) * 0.92, align="edge", color=GREY, alpha=0.45,
             label="share of cones")  # fmt: skip
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1, label="calibrated")
    used = counts > 0
    axes.plot(np.array(result.confidence)[used], np.array(result.accuracy)[used], "o-",
              color=ACCENT, label=f"measured (ECE {result.ece:.3f})")  # fmt: skip
    axes.set(xlabel="existence probability", ylabel="share that exists")
    axes.set(xlim=(0, 1), ylim=(0, 1.04))
    axes.set_title("Calibration of the existence probability", pad=26)
    _legend_above(axes)
    return figure


def nees_plot(evaluation: Evaluation, records: Records) -> Figure:
    """Histogram of the NEES with the distribution expected of a consistent covariance."""
    figure, axes = new_figure()
    values = matched_nees(records)
    values = values[~np.isnan(values)]
    edges = np.linspace(0, NEES_SHOWN, 37)
    if len(values):
        weights = np.full(len(values), 1 / (len(values) * (edges[1] - edges[0])))
        shown = np.minimum(values, NEES_SHOWN - 1e-6)
        axes.hist(shown, edges.tolist(), weights=weights, color=ACCENT,
                  alpha=0.6, label="measured (last bar: and above)")  # fmt: skip
    axis = np.linspace(0, NEES_SHOWN, 200)
    axes.plot(axis, 0.5 * np.exp(-axis / 2), color=INK, label="expected")
    axes.axvline(CHI2_95, color=MUTED, linestyle=":", linewidth=1.2)
    axes.annotate(
        f"95 % ellipse contains\n{evaluation.consistency.inside_95:.0%}",
        (CHI2_95 + 0.15, axes.get_ylim()[1] * 0.45), color=MUTED, fontsize=9.5,
    )  # fmt: skip
    axes.set(xlabel="NEES  e\u1d40 C\u207b\u00b9 e", ylabel="density", xlim=(0, NEES_SHOWN))
    axes.set_title(
        f"Consistency of the covariance: mean {evaluation.consistency.mean:.2f}, expected 2", pad=26
    )
    _legend_above(axes)
    return figure


def latency_plot(times: Floats, seconds: Floats, evaluation: Evaluation) -> Figure:
    """Latency of each frame over the drive.

    Args:
        times: since the start of the drive [s].
        seconds: latency of the frames at these times [s].
        evaluation: with the percentiles.
    """
    figure, axes = new_figure()
    milliseconds = 1e3 * seconds
    axes.plot(times, milliseconds, ".", color=ACCENT, markersize=3, alpha=0.5, rasterized=True)
    result = evaluation.latency
    top = 1.25 * 1e3 * result.p99 if result.count else 1.0
    for name, value, line in (
        ("p50", result.p50, "-"),
        ("p95", result.p95, "--"),
        ("p99", result.p99, ":"),
    ):
        label = f"{name} {1e3 * value:.1f} ms"
        axes.axhline(1e3 * value, color=INK, linewidth=1, linestyle=line, label=label)
    above = int((milliseconds > top).sum())
    note = f", {above} above the plot" if above else ""
    axes.set(xlabel="time [s]", ylabel="latency [ms]", ylim=(0, top))
    axes.set_title(f"Latency of the cones{note}", pad=26)
    _legend_above(axes)
    return figure


def score_plot(times: Floats, records: Records, *, with_camera: bool = True) -> Figure:
    """F1 with colour and recall in each second of the drive.

    Args:
        times: of each frame of the records since the start of the drive [s].
        records: their cones and truth.
        with_camera: False shows F1 without colour.
    """
    figure, axes = new_figure()
    second = np.floor(times).astype(np.int64)
    size = int(second.max()) + 1 if len(second) else 0
    cones, truth = records.cones, records.truth
    predicted = _per_second(second[cones.frames[cones.selected]], size)
    hits = truth.right if with_camera else truth.found
    right = _per_second(second[truth.frames[hits]], size)
    found = _per_second(second[truth.frames[truth.found]], size)
    true = _per_second(second[truth.frames], size)
    with np.errstate(invalid="ignore", divide="ignore"):
        axes.plot(found / true, "--", color=GREY, label="recall")
        axes.plot(
            2 * right / (predicted + true),
            color=ACCENT,
            label="F1 with colour" if with_camera else "F1",
        )
    axes.set(xlabel="time [s]", ylabel="score in each second", ylim=(0, 1.04))
    axes.set_xlim(0, max(size - 1, 1))
    axes.set_title("Score over the drive", pad=26)
    _legend_above(axes)
    return figure


def _legend_above(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)


def _per_second(seconds: npt.NDArray[np.int64], size: int) -> Floats:
    return np.bincount(seconds, minlength=size).astype(np.float64)


def _range_edges(distances: Sequence[float] | Floats) -> Floats:
    farthest = max(distances) if len(distances) else RANGE_STEP
    return np.arange(math.ceil(max(farthest, 1e-6) / RANGE_STEP) + 1) * RANGE_STEP


def _thinned(size: int) -> npt.NDArray[np.int64]:
    if size <= SCATTER_POINTS:
        return np.arange(size)
    return np.random.default_rng(0).choice(size, SCATTER_POINTS, replace=False)
