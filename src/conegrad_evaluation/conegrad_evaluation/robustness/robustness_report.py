"""Files of a robustness run: figures, picture and HTML report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_evaluation.disturbances.registry import disturbances
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.figure_style import png_bytes, report_style, svg_uri
from conegrad_evaluation.report.html_template import template_of
from conegrad_evaluation.robustness.live_outcome import LiveOutcome
from conegrad_evaluation.robustness.live_report import TARGETS, live_row, live_values
from conegrad_evaluation.robustness.retention import Retention, RetentionTable
from conegrad_evaluation.robustness.robustness_plot import robustness_plot

FIGURES, PICTURE, REPORT = "robustness.json", "robustness.png", "robustness.html"


def write_robustness(
    table: RetentionTable | None,
    folder: Path,
    system: str,
    drives: Mapping[str, int],
    outcomes: Sequence[LiveOutcome] = (),
) -> Path:
    """Write ``robustness.json`` and ``robustness.html``, and with figures ``robustness.png``.

    Args:
        table: what is left; None: only the live graph was measured.
        folder: to write to; made if it is missing.
        system: name, for people.
        drives: number of frames of each bag.
        outcomes: of faults in the live graph.

    Returns:
        Path of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {"system": system}
    context: dict[str, Any] = {"system": system, "rows": []}
    if table is not None:
        values |= as_json(table, system, drives)
        context |= _figures(table, folder, drives)
    values["live"] = to_json_values(live_values(outcomes))
    context |= {"live": [live_row(out) for out in outcomes], "targets": TARGETS}
    content = json.dumps(values, indent=2, allow_nan=False)
    (folder / FIGURES).write_text(content + "\n", encoding="utf-8")
    template = template_of("conegrad_evaluation.robustness", "robustness.html")
    (folder / REPORT).write_text(template.render(context), encoding="utf-8")
    return folder / REPORT


def _figures(table: RetentionTable, folder: Path, drives: Mapping[str, int]) -> dict[str, Any]:
    """What the report shows of what is left; writes the picture."""
    with report_style():
        figure = robustness_plot(table)
        (folder / PICTURE).write_bytes(png_bytes(figure))
        picture = svg_uri(figure)
    return {
        "mean": number(table.mean),
        "interval": f"{number(table.interval.low)} to {number(table.interval.high)}",
        "untrained": _untrained(table),
        "worst": _worst(table),
        "frames": table.frames,
        "drives": drives,
        "picture": picture,
        "rows": [_row(row) for row in table.rows],
    }


def as_json(table: RetentionTable, system: str, drives: Mapping[str, int]) -> dict[str, Any]:
    """Everything as JSON values."""
    values: dict[str, Any] = to_json_values(
        {
            "system": system,
            "drives": dict(drives),
            "mean": table.mean,
            "interval": table.interval,
            "untrained": table.untrained and table.untrained._asdict(),
            "faults": [
                {
                    "fault": str(row.fault),
                    "parameters": row.fault.parameters,
                    "figure": _figure(row),
                    "clean": row.clean,
                    "disturbed": row.disturbed,
                    "share": row.share,
                    "interval": row.interval,
                }
                for row in table.rows
            ],
        }
    )
    return values


def as_text(table: RetentionTable) -> str:
    """The mean and the worst faults, for a terminal."""
    low, high = table.interval.low, table.interval.high
    lines = [
        f"{number(table.mean)} of F1 with colour is left on average ({number(low)} to "
        f"{number(high)}), over {sum(not row.is_lost_sensor for row in table.rows)} faults and "
        f"{table.frames} frames"
    ]
    if text := _untrained(table):
        lines.append(f"  {text}")
    lines += [f"  worst: {text}" for text in _worst(table)]
    lines += [
        f"  {row.fault.name}: {number(row.share)} of the recall of what the other sensors see"
        for row in table.rows
        if row.is_lost_sensor
    ]
    return "\n".join(lines)


def _untrained(table: RetentionTable) -> str:
    """The mean over disturbances that the system was not trained on, in words."""
    if table.untrained is None:
        return ""
    faults, mean, interval = table.untrained
    return (
        f"{number(mean)} ({number(interval.low)} to {number(interval.high)}) over the {faults} "
        "faults of disturbances that the system was not trained on"
    )


def _worst(table: RetentionTable, count: int = 3) -> list[str]:
    known = disturbances()
    rows = sorted((row for row in table.rows if not row.is_lost_sensor), key=lambda row: row.share)
    return [
        f"{row.fault} ({known[row.fault.name].description}): {number(row.share)}"
        for row in rows[:count]
    ]


def _figure(row: Retention) -> str:
    return "recall" if row.is_lost_sensor else "f1_colour"


def _row(row: Retention) -> list[str]:
    parameters = ", ".join(f"{name} {value:g}" for name, value in row.fault.parameters.items())
    return [
        str(row.fault),
        parameters,
        _figure(row),
        number(row.clean),
        number(row.disturbed),
        number(row.share),
        f"{number(row.interval.low)} to {number(row.interval.high)}",
    ]
