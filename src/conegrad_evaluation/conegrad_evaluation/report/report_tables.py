"""Cards, tables and sentences of the report."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation
from conegrad_evaluation.metrics.evaluator import Evaluation, SubsetMetrics
from conegrad_evaluation.metrics.failure_modes import FALSE_CONE_MODES, MISS_MODES
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.region_plot import region_table

RANGE_HEADER = (
    "range", "truth", "cones", "F1 with colour", "F1", "precision", "recall", "RMSE [cm]",
    "median [cm]", "bias along [cm]", "bias across [cm]",
)  # fmt: skip
COLOUR_MODES = ("wrong_colour", "unknown_colour")
FEW, MANY = 10, 100  # things: below, a share is written as a fraction; from here on, 3 digits


def cards(result: DriveEvaluation) -> Iterator[dict[str, str]]:
    """The cards of headline metrics: label, value, unit and note."""
    evaluation = result.evaluation
    if evaluation.frames:
        yield from _accuracy_cards(evaluation)
    else:
        cones = [len(frame.cones.positions) for frame in result.drive.frames]
        mean = f"{np.mean(cones):.1f}" if cones else "-"
        yield _card("Cones per frame", mean, note=f"{sum(cones)} in total")
        rate = result.drive.info.topics[result.drive.info.roles["cones"]].rate
        yield _card("Rate of the cones", number(rate, 1), "Hz")
    times = evaluation.latency
    if times.count:
        tail = f"p95 {1e3 * times.p95:.1f} ms, p99 {1e3 * times.p99:.1f} ms"
        yield _card("Latency, median", f"{1e3 * times.p50:.1f}", "ms", tail)
    yield _card("Frames", str(len(result.drive.frames)), note=_coverage(result))


def _accuracy_cards(evaluation: Evaluation) -> Iterator[dict[str, str]]:
    counts, position = evaluation.total.counts, evaluation.total.position
    interval = evaluation.score_interval
    other = f"F1 {number(counts.f1)}" if evaluation.with_camera else "no camera, so no colours"
    yield _card(
        "F1 with colour" if evaluation.with_camera else "F1",
        number(evaluation.score),
        note=f"95 % interval {number(interval.low)} to {number(interval.high)}; {other}",
    )
    yield _card("Recall", number(counts.recall), note=f"{counts.matched} of {counts.true} cones")
    yield _card(
        "Precision",
        number(counts.precision),
        note=f"{counts.predicted - counts.matched} false of {counts.predicted}",
    )
    note = f"median {_centimetres(position.median)} cm, p95 {_centimetres(position.p95)} cm"
    yield _card("Position RMSE", _centimetres(position.rmse), "cm", note)


def _card(label: str, value: str, unit: str = "", note: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "unit": unit, "note": note}


def _coverage(result: DriveEvaluation) -> str:
    info = result.drive.info
    inputs = {
        name: info.topics[info.roles[role]].count
        for role, name in (("image", "images"), ("scan", "scans"), ("points", "clouds"))
        if role in info.roles
    }
    of_inputs = ", ".join(f"{count} {name}" for name, count in inputs.items())
    return f"from {of_inputs}" if inputs else "no images and no scans in the bag"


def range_rows(evaluation: Evaluation) -> list[list[str]]:
    """Cells of the table by range; the last row is that of all cones."""
    subsets = [
        (name, subset)
        for name, subset in evaluation.range_bins.items()
        if subset.counts.true or subset.counts.predicted
    ]
    return [_range_row(name, subset) for name, subset in [*subsets, ("all", evaluation.total)]]


def _range_row(name: str, subset: SubsetMetrics) -> list[str]:
    counts, position = subset.counts, subset.position
    scores = (counts.f1_colour, counts.f1)
    biases = (position.bias_radial, position.bias_tangential)
    return [
        name,
        str(counts.true),
        str(counts.predicted),
        *(number(score, _digits(counts.true)) for score in scores),
        _rate(counts.precision, counts.predicted),
        _rate(counts.recall, counts.true),
        *(_centimetres(length) for length in (position.rmse, position.median)),
        *(number(100 * bias, 1, signed=True) for bias in biases),
    ]


def range_hint(evaluation: Evaluation) -> str:
    """Explanation of the table by range."""
    return (
        "Distance from the LiDAR. Truth that no sensor could see is left out. Bias along the ray "
        "is positive where cones are too far, across it where they are too far left. "
        f"{evaluation.label_values} label values used (x, y and colour of each true cone)."
    )


def limits(evaluation: Evaluation) -> str:
    """The most frequent failure modes, in sentences."""
    misses = {MISS_MODES[key]: n for key, n in evaluation.failure_modes.misses.items() if n}
    false = {
        FALSE_CONE_MODES[key]: n for key, n in evaluation.failure_modes.false_cones.items() if n
    }
    if not misses and not false:
        return "No failures: every cone was found with its colour, and no cone is false."
    missed, wrong = sum(misses.values()), sum(false.values())
    sentences = []
    if misses:
        worst = max(misses, key=lambda text: misses[text])
        sentences.append(
            f"{missed} of {evaluation.total.counts.true} true cones were not found with "
            f"their colour; most often ({misses[worst] / missed:.0%}): {worst}."
        )
    if false:
        worst = max(false, key=lambda text: false[text])
        sentences.append(
            f"{wrong} of {evaluation.total.counts.predicted} cones are wrong; most often "
            f"({false[worst] / wrong:.0%}): {worst}."
        )
    return " ".join(sentences)


def failure_mode_panels(evaluation: Evaluation) -> list[dict[str, Any]]:
    """FailureModes of misses and false cones as bars, most frequent first."""
    modes = evaluation.failure_modes
    by_source = {
        f"{source}: {FALSE_CONE_MODES[key]}": (key, n)
        for source, counts in modes.false_cones_by_source.items()
        for key, n in counts.items()
    }
    misses = {MISS_MODES[key]: (key, n) for key, n in modes.misses.items()}
    named = (
        ("True cones not found with their colour", misses),
        ("Wrong cones by source", by_source),
    )
    return [{"title": title, "rows": _bars(counts)} for title, counts in named]


def _bars(counts: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    highest = max((n for _, n in counts.values()), default=0)
    return [
        {
            "text": text.replace("lidar:", "LiDAR:"),
            "count": n,
            "percent": round(100 * n / highest, 1),
            "is_colour": key in COLOUR_MODES,
        }
        for text, (key, n) in sorted(counts.items(), key=lambda item: -item[1][1])
        if n
    ]


def tables(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Tables by source, by visibility and by colour."""
    names = {"lidar": "LiDAR", "camera": "camera", "both": "both"}
    narrow = [
        {
            "title": "Cones by source",
            "header": ["source", "cones", "precision", "with colour", "RMSE [cm]"],
            "rows": [
                [
                    names[name],
                    str(g.counts.predicted),
                    _rate(g.counts.precision, g.counts.predicted),
                    _rate(g.counts.precision_colour, g.counts.predicted),
                    _centimetres(g.position.rmse),
                ]
                for name, g in evaluation.by_source.items()
            ],
        },
        {
            "title": "Truth by the sensors that could see it",
            "header": ["sensors", "truth", "recall", "with colour", "RMSE [cm]"],
            "rows": [[names[n], *_truth_cells(g)] for n, g in evaluation.by_visibility.items()],
        },
        {
            "title": "Truth by colour",
            "header": ["colour", "truth", "recall", "with colour", "RMSE [cm]"],
            "rows": [
                [name.replace("_", " "), *_truth_cells(subset)]
                for name, subset in evaluation.by_class.items()
                if subset.counts.true
            ],
        },
    ]
    wide = region_table(evaluation) | {"is_wide": True}
    return [*({**table, "is_wide": False} for table in narrow), wide]


def _truth_cells(subset: SubsetMetrics) -> list[str]:
    counts = subset.counts
    rates = (counts.recall, counts.recall_colour)
    cells = [_rate(rate, counts.true) for rate in rates]
    return [str(counts.true), *cells, _centimetres(subset.position.rmse)]


def topic_rows(result: DriveEvaluation) -> list[list[str]]:
    """Cells of the table of topics."""
    return [
        [name, t.msgtype, str(t.count), number(t.rate, 1), number(t.longest_gap, 2)]
        for name, t in result.drive.info.topics.items()
    ]


def _rate(value: float, count: int) -> str:
    """A share of some things, with the digits that their number allows."""
    if 0 < count < FEW:
        return f"{round(value * count)} of {count}"
    return number(value, _digits(count))


def _digits(count: int) -> int:
    return 3 if count >= MANY else 2


def _centimetres(metres: float) -> str:
    return number(100 * metres, 1)
