"""Report and JSON file of the gate."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.coverage.projection_coverage import Coverage
from conegrad_evaluation.gate.decision import verdict
from conegrad_evaluation.gate.findings import Finding
from conegrad_evaluation.gate.gate import GateResult, within
from conegrad_evaluation.gate.gate_plots import coverage_plot, difference_plot
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.figure_style import png_bytes, report_style, svg_uri
from conegrad_evaluation.report.html_template import template_of

SHOWN_GAPS = 12  # missing pairs in the report; gate.json holds all

Cells = list[str]


def write_gate(
    result: GateResult, folder: Path, systems: Mapping[str, str], space: ConditionSpace
) -> Path:
    """Write ``gate.html``, ``gate.json`` and both plots as PNG.

    Args:
        result: of the gate.
        folder: to write to; made if it is missing.
        systems: what is ``old`` and what is ``new``, for people.
        space: conditions that were asked for.

    Returns:
        Path of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = json.dumps(as_json(result, systems), indent=2, allow_nan=False)
    (folder / "gate.json").write_text(values + "\n", encoding="utf-8")
    shown = within(space, result.config.max_range)
    with report_style():
        plots = {
            "differences": difference_plot(result.findings),
            "coverage": coverage_plot(result.coverage, shown),
        }
        uris = {name: svg_uri(figure) for name, figure in plots.items()}
        for name, figure in plots.items():
            (folder / f"{name}.png").write_bytes(png_bytes(figure))
    template = template_of("conegrad_evaluation.gate", "gate.html")
    report = folder / "gate.html"
    context = {**_context(result, systems), "plots": uris}
    report.write_text(template.render(context), encoding="utf-8")
    return report


def as_json(result: GateResult, systems: Mapping[str, str]) -> dict[str, Any]:
    """Everything as JSON values."""
    covered = result.coverage
    values: dict[str, Any] = to_json_values(
        {
            "answer": result.decision.answer.name.lower(),
            "exit_code": result.decision.answer.value,
            "reasons": result.decision.reasons,
            "more_frames": result.decision.more_frames,
            "systems": dict(systems),
            "findings": result.findings,
            "frames": result.frames,
            "blocks": result.blocks,
            "latency": {
                "ratio": result.latency.ratio,
                "old": result.latency.old,
                "new": result.latency.new,
            },
            "old": result.evaluations[0].to_dict(),
            "new": result.evaluations[1].to_dict(),
            "budgets": result.budgets,
            "coverage": {
                "share": covered.share,
                "pairs": covered.pairs,
                "covered": covered.covered,
                "by_conditions": {
                    " x ".join(names): share for names, share in covered.by_condition.items()
                },
                "missing": [
                    {
                        "pair": dict(gap.pair),
                        "blocks": gap.blocks,
                        "required": gap.required,
                        "error": gap.error,
                    }
                    for gap in covered.missing
                ],
                "suggestions": [
                    {
                        "drive": dict(s.drive),
                        "pairs": len(s.pairs),
                        "worth": s.worth,
                        "error": s.error,
                    }
                    for s in covered.suggestions
                ],
            },
        }
    )
    return values


def as_text(result: GateResult) -> str:
    """The answer with its reasons, and what was not tested, for a terminal."""
    decision, covered = result.decision, result.coverage
    lines = [decision.answer.name.lower(), *(f"  {reason}" for reason in decision.reasons)]
    if decision.more_frames:
        lines.append(f"  about {decision.more_frames} more frames like these would decide")
    lines.append(
        f"tested: {covered.covered} of {covered.pairs} pairs of conditions "
        f"({covered.share:.0%} of the blocks that were asked for)"
    )
    if covered.suggestions:
        lines.append(f"  would teach most: {drive_words(covered.suggestions[0].drive)}")
    return "\n".join(lines)


def drive_words(drive: Mapping[str, str]) -> str:
    """A suggested drive in words."""
    return ", ".join(f"{name} {value}" for name, value in drive.items())


def _context(result: GateResult, systems: Mapping[str, str]) -> dict[str, Any]:
    decision, covered = result.decision, result.coverage
    return {
        "systems": systems,
        "answer": decision.answer.name.lower(),
        "reasons": decision.reasons,
        "more_frames": decision.more_frames,
        "frames": result.frames,
        "cards": _cards(result),
        "rows": [_row(finding) for finding in result.findings],
        "retention": _retention(result.findings),
        "gaps": [_gap(covered, k) for k in range(min(SHOWN_GAPS, len(covered.missing)))],
        "suggestions": [
            [drive_words(s.drive), str(len(s.pairs)), number(s.error)] for s in covered.suggestions
        ],
        "budgets": sorted(vars(result.budgets).items()),
        "blocks": ", ".join(f"{name}: {block}" for name, block in result.blocks.items()),
    }


def _cards(result: GateResult) -> list[dict[str, str]]:
    overall = result.findings[0]
    ratio = next(f for f in result.findings if f.name == "latency")
    wide = f"{number(overall.low, signed=True)} to {number(overall.high, signed=True)}"
    return [
        {
            "label": "Gain of F1 with colour",
            "value": number(overall.difference, signed=True),
            "note": f"{number(overall.old)} to {number(overall.new)}; interval {wide}",
        },
        {
            "label": "Time of a frame, new to old",
            "value": number(ratio.difference, 2),
            "note": f"{1e3 * ratio.old:.1f} to {1e3 * ratio.new:.1f} ms",
        },
        {
            "label": "Frames",
            "value": str(sum(result.frames.values())),
            "note": f"{len(result.frames)} recordings",
        },
        {
            "label": "Pairs of conditions tested",
            "value": f"{result.coverage.share:.0%}",
            "note": f"{result.coverage.covered} of {result.coverage.pairs} often enough",
        },
    ]


def _row(finding: Finding) -> dict[str, Any]:
    signed = finding.group != "latency"
    cells = [
        finding.name,
        finding.figure,
        f"{finding.cones:.0f}",
        *(number(value) for value in (finding.old, finding.new)),
        *(number(v, signed=signed) for v in (finding.difference, finding.low, finding.high)),
        finding.budget,
        verdict(finding),
    ]
    return {"cells": cells, "status": finding.status}


def _retention(findings: Sequence[Finding]) -> list[Cells]:
    """Share of the F1 of all frames that is left under each disturbance."""
    intact = findings[0]
    return [
        [
            finding.name.removeprefix("disturbed "),
            *(
                number(part / whole if whole > 0 else math.nan)
                for part, whole in ((finding.old, intact.old), (finding.new, intact.new))
            ),
        ]
        for finding in findings
        if finding.group == "disturbed"
    ]


def _gap(covered: Coverage, index: int) -> Cells:
    gap = covered.missing[index]
    words = " with ".join(f"{name} {value}" for name, value in gap.pair)
    return [words, str(gap.blocks), str(gap.required), number(gap.error)]
