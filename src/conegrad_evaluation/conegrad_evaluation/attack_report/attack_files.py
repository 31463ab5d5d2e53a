"""Files of a run of attacks: figures, picture and HTML report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_evaluation.attack_report.attack_pictures import ThreatPictures, draw_threats
from conegrad_evaluation.attack_report.attack_plot import attack_plot
from conegrad_evaluation.attack_report.attack_run import AttackRun
from conegrad_evaluation.attack_report.attack_table import AttackTable, Kept, ThreatRow
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.figure_style import png_bytes, report_style, svg_uri
from conegrad_evaluation.report.html_template import template_of

FIGURES, PICTURE, REPORT = "attack.json", "attack.png", "attack.html"


def write_attack(table: AttackTable, run: AttackRun, folder: Path, system: str) -> Path:
    """Write ``attack.json``, ``attack.png`` and ``attack.html``.

    Args:
        table: what is left.
        run: with pictures.
        folder: to write to; made if it is missing.
        system: name, for people.

    Returns:
        Path of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(as_json(table, run.drives, system), indent=2, allow_nan=False)
    (folder / FIGURES).write_text(content + "\n", encoding="utf-8")
    with report_style():
        figure = attack_plot(table)
        (folder / PICTURE).write_bytes(png_bytes(figure))
        picture = svg_uri(figure)
    page = _page(table, run.drives, draw_threats(run), system, picture)
    (folder / REPORT).write_text(page, encoding="utf-8")
    return folder / REPORT


def as_json(table: AttackTable, drives: Mapping[str, int], system: str) -> dict[str, Any]:
    """Everything as JSON values."""
    values: dict[str, Any] = to_json_values(
        {
            "system": system,
            "drives": dict(drives),
            "doubts": table.doubts,
            "threats": [
                {
                    "threat": str(row.threat),
                    "budgets": {chosen.name: chosen.budget for chosen in row.threat.attacks},
                    "clean": row.clean,
                    "random": row.random._asdict(),
                    "attacked": row.attacked._asdict(),
                    "end_loss": {
                        "clean": row.clean_loss,
                        "random": row.random_loss,
                        "attacked": row.attacked_loss,
                        "half_of_the_steps": row.half_loss,
                        "all_steps": row.full_loss,
                    },
                }
                for row in table.rows
            ],
        }
    )
    return values


def as_text(table: AttackTable) -> str:
    """A table for a terminal."""
    width = max(len("attack"), *(len(str(row.threat)) for row in table.rows))
    lines = [
        f"share of F1 with colour that is left over {table.frames} frames, 95 % interval",
        f"{'attack':<{width}}  {'under attack':<24}at random",
    ]
    lines += [
        f"{row.threat!s:<{width}}  {_share(row.attacked):<24}{_share(row.random)}"
        for row in table.rows
    ]
    lines += [f"doubt: {text}" for text in table.doubts]
    return "\n".join(lines)


def _page(
    table: AttackTable,
    drives: Mapping[str, int],
    threats: Sequence[ThreatPictures],
    system: str,
    picture: str,
) -> str:
    worst = min(table.rows, key=lambda row: row.attacked.share)
    context = {
        "system": system,
        "clean": number(table.rows[0].clean),
        "worst": str(worst.threat),
        "worst_share": _share(worst.attacked),
        "frames": table.frames,
        "drives": drives,
        "doubts": table.doubts,
        "picture": picture,
        "rows": [_cells(row) for row in table.rows],
        "threats": threats,
    }
    return template_of("conegrad_evaluation.attack_report", "attack.html").render(context)


def _cells(row: ThreatRow) -> list[str]:
    losses = (row.clean_loss, row.random_loss, row.half_loss, row.attacked_loss)
    return [
        str(row.threat),
        number(row.attacked.f1_colour),
        _share(row.attacked),
        _share(row.random),
        *(f"{loss:.2f}" for loss in losses),
    ]


def _share(kept: Kept) -> str:
    low, high = kept.interval.low, kept.interval.high
    return f"{number(kept.share)} ({number(low)} to {number(high)})"
