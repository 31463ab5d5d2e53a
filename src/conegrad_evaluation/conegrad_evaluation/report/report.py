"""The report of a drive: one self-contained HTML file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.cones import COLOUR_NAMES, ConeClass
from conegrad_core.system_record.provenance import described
from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.report.beside import Beside
from conegrad_evaluation.report.figure_style import colour_hex, data_uri, report_style
from conegrad_evaluation.report.html_template import template_of
from conegrad_evaluation.report.no_cones import no_cones_reason
from conegrad_evaluation.report.report_pictures import draw_examples, draw_map, draw_plots
from conegrad_evaluation.report.report_tables import (
    RANGE_HEADER,
    cards,
    failure_mode_panels,
    limits,
    range_hint,
    range_rows,
    tables,
    topic_rows,
)


class Preface(NamedTuple):
    """A section about the drive, before the metrics of perception.

    Attributes:
        title: of the section.
        hint: a sentence that explains it.
        cards: headline numbers: label, value, unit and note.
        pictures: files of pictures and animations.
    """

    title: str
    hint: str
    cards: Sequence[tuple[str, str, str, str]]
    pictures: Sequence[Path]


def write_report(
    result: DriveEvaluation,
    folder: Path,
    preface: Preface | None = None,
    beside: Beside | None = None,
) -> Path:
    """Write ``report.html``, and its pictures as PNG files in ``folder/pictures``.

    Args:
        result: the evaluation.
        folder: where to write to.
        preface: first section; None leaves it out.
        beside: the same drive with cones of another system; None leaves it out.

    Returns:
        Path of the report.
    """
    template = template_of("conegrad_evaluation.report", "report.html")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    with report_style():
        context = _context(result, folder / "pictures")
        context |= {"preface": _preface(preface), "beside": beside}
    report = folder / "report.html"
    report.write_text(template.render(context), encoding="utf-8")
    return report


def _context(result: DriveEvaluation, folder: Path) -> dict[str, Any]:
    drive, evaluation = result.drive, result.evaluation
    has_truth = evaluation.frames > 0
    return {
        "name": drive.path.stem,
        "subtitle": _subtitle(result),
        "made_by": described(drive.info.made_by),
        "no_cones_reason": no_cones_reason(result),
        "has_truth": has_truth,
        "no_truth_reason": _no_truth_reason(result),
        "cards": list(cards(result)),
        "examples": draw_examples(result, folder),
        "examples_hint": _examples_hint(evaluation),
        "class_colours": [
            (name.replace("_", " "), colour_hex(ConeClass(i)))
            for i, name in enumerate(COLOUR_NAMES)
        ],
        "range_header": RANGE_HEADER,
        "range_rows": range_rows(evaluation),
        "range_hint": range_hint(evaluation),
        "limits": limits(evaluation),
        "failure_modes": failure_mode_panels(evaluation),
        "plots": draw_plots(result),
        "plots_hint": _plots_hint(evaluation) if has_truth else "",
        "tables": tables(evaluation),
        "map_uri": draw_map(result, folder),
        "topics": topic_rows(result),
        "notes": [*drive.notes, *(f"{a.problem}: {a.remedy}" for a in drive.info.advice)],
    }


def _preface(preface: Preface | None) -> dict[str, Any] | None:
    if preface is None:
        return None
    names = ("label", "value", "unit", "note")
    return {
        "title": preface.title,
        "hint": preface.hint,
        "cards": [dict(zip(names, card, strict=True)) for card in preface.cards],
        "pictures": [
            data_uri(path.read_bytes(), f"image/{path.suffix[1:]}") for path in preface.pictures
        ],
    }


def _subtitle(result: DriveEvaluation) -> str:
    drive, config = result.drive, result.evaluation.config
    parts = [
        f"{drive.info.duration:.1f} s",
        f"{len(drive.frames)} frames",
        f"truth: {result.truth_source}",
        f"match distance {config.match_distance:g} m",
    ]
    if result.evaluation.frames and math.isfinite(config.max_range):
        parts.append(f"truth within {config.max_range:g} m")
    return " · ".join(parts)


def _no_truth_reason(result: DriveEvaluation) -> str:
    if result.truth is None:
        return (
            "The bag has no truth topic, and no track map was given, so the cones cannot be "
            "compared with truth. Give a CSV of the cones (x, y, colour) as the track."
        )
    return "Truth was given, but it has no stamp near those of the cones."


def _examples_hint(evaluation: Evaluation) -> str:
    if not evaluation.frames:
        return "Three frames of the drive. Ellipses contain 95 % of the estimated position error."
    by = "F1 with colour" if evaluation.with_camera else "F1"
    return (
        f"Best, median and worst frame by {by}. Ellipses contain 95 % of the estimated "
        "position error; dashed: the largest range of counted truth."
    )


def _plots_hint(evaluation: Evaluation) -> str:
    curve = evaluation.curve_colour if evaluation.with_camera else evaluation.curve
    name = "F1 with colour" if evaluation.with_camera else "F1"
    if math.isnan(curve.best_f1):
        return ""
    return (
        f"The existence threshold with the highest {name} is {curve.best_threshold:.2f}, with "
        f"{curve.best_f1:.3f} (of the published cones)."
    )
