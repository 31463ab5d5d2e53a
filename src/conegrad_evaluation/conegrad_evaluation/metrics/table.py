"""Metrics as a table for a terminal."""

import math

from conegrad_evaluation.metrics.error_regions import ALL
from conegrad_evaluation.metrics.evaluator import Evaluation, SubsetMetrics

HEADER = ("range", "truth", "f1_colour", "f1", "precision", "recall", "RMSE [m]", "bias r [m]")


def summary_table(evaluation: Evaluation) -> str:
    """Metrics by range bin, with a line of other metrics, at most 80 characters wide."""
    rows: list[tuple[str, ...]] = [HEADER]
    rows += [
        _row(name, subset) for name, subset in evaluation.range_bins.items() if _is_used(subset)
    ]
    rows.append(_row("all", evaluation.total))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines.insert(-1, "-" * len(lines[0]))
    return "\n".join([*lines, "", *_notes(evaluation)])


def _is_used(subset: SubsetMetrics) -> bool:
    return subset.counts.true + subset.counts.predicted > 0


def _row(name: str, subset: SubsetMetrics) -> tuple[str, ...]:
    counts, position = subset.counts, subset.position
    rates = (counts.f1_colour, counts.f1, counts.precision, counts.recall)
    return (
        name,
        str(counts.true),
        *(number(rate) for rate in rates),
        number(position.rmse),
        number(position.bias_radial, signed=True),
    )


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Fixed decimals, or a dash where there is no value."""
    if math.isnan(value):
        return "-"
    rounded = round(value, digits) + 0.0  # no sign of a zero
    return f"{rounded:{'+' if signed else ''}.{digits}f}"


def _notes(evaluation: Evaluation) -> list[str]:
    config, interval = evaluation.config, evaluation.score_interval
    within = "" if math.isinf(config.max_range) else f" within {config.max_range:g} m"
    notes = [
        f"{evaluation.frames} frames{within}, match distance {config.match_distance:g} m; "
        f"{evaluation.headline} 95 % interval {number(interval.low)} to {number(interval.high)}",
        f"average precision {number(evaluation.curve.average_precision)}, "
        f"ECE {number(evaluation.reliability.ece)}, "
        f"mean NEES {number(evaluation.consistency.mean)} (2 expected)",
    ]
    notes += _region_notes(evaluation)
    if not evaluation.with_camera:
        notes.insert(0, f"headline f1: {number(evaluation.score)}; no camera, so no colours")
    if evaluation.latency.count:
        times = evaluation.latency
        notes.append(
            f"latency p50 {1e3 * times.p50:.1f} ms, p95 {1e3 * times.p95:.1f} ms, "
            f"p99 {1e3 * times.p99:.1f} ms"
        )
    return notes


def _region_notes(evaluation: Evaluation) -> list[str]:
    """Which share of the errors the stated 90 % regions hold, by range."""
    regions = evaluation.error_regions[ALL]
    shares = [f"{name} {number(r.inside_90, 2)}" for name, r in regions.items() if r.count]
    return [f"90 % regions hold: {', '.join(shares)}"] if shares else []
