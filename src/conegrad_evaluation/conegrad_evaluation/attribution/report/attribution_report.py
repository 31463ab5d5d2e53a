"""Writes ``report.html`` and ``attribution.json`` of an attribution."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from conegrad_evaluation.attribution.advice import Finding, headline
from conegrad_evaluation.attribution.attribution import Attribution
from conegrad_evaluation.attribution.bag_attribution import AttributedDrive
from conegrad_evaluation.attribution.calibration_errors import is_wrong
from conegrad_evaluation.attribution.report.example_pictures import draw_examples
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.report.figure_style import (
    ACCENT,
    BAD,
    GREY,
    HATCHES,
    new_figure,
    report_style,
    svg_uri,
)
from conegrad_evaluation.report.html_template import template_of


def write_attribution(
    drive: AttributedDrive,
    standing: Sequence[Finding],
    folder: Path,
    name: str,
) -> Path:
    """Write report and figures.

    Args:
        drive: the attribution with its frames.
        standing: components that stand out.
        folder: to write to; made if it is missing.
        name: of the drive.

    Returns:
        Path of the report.
    """
    found = drive.attribution
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    values = attribution_values(found, standing)
    text = json.dumps(to_json_values(values), indent=2, allow_nan=False)
    (folder / "attribution.json").write_text(text + "\n", encoding="utf-8")
    with report_style():
        bars = svg_uri(_share_figure(found, {finding.component for finding in standing}))
    context = {
        "name": name,
        "headline": headline(standing, found),
        "subtitle": f"{found.frames} frames · F1 with colour {found.score:.3f} · with perfect "
        f"components {found.perfect:.3f} · compared with {found.reference.source}",
        "bars": bars,
        "rows": component_rows(found),
        "errors": error_rows(found),
        "gradients": gradient_rows(found),
        "examples": draw_examples(found, drive.samples, drive.detections, folder / "pictures"),
        "cost": f"{found.cost:.2f}",
        "runs": ", ".join(f"{stage} {count}" for stage, count in found.stage_runs.items()),
    }
    report = folder / "report.html"
    template = template_of("conegrad_evaluation.attribution", "attribution.html")
    report.write_text(template.render(context), encoding="utf-8")
    return report


def attribution_values(found: Attribution, standing: Sequence[Finding]) -> dict[str, Any]:
    """All figures of an attribution, by name."""
    faults = [
        {
            "frame": traced.fault.frame,
            "is_lost": traced.fault.is_lost,
            "mode": traced.fault.mode,
            "position": traced.fault.position.tolist(),
            "component": traced.component,
            "shares": dict(traced.shares),
        }
        for traced in found.traces
    ]
    refinement = {**found.refinement.mounting, **found.refinement.time}
    return {
        "headline": headline(standing, found),
        "findings": [finding._asdict() for finding in standing],
        "score": found.score,
        "perfect": found.perfect,
        "shares": dict(found.shares),
        "alone": dict(found.alone),
        "qualities": dict(found.qualities),
        "errors": {key: estimate._asdict() for key, estimate in refinement.items()},
        "gradients": {term: dict(of_term) for term, of_term in found.gradients.items()},
        "traces": faults,
        "seconds": dict(found.seconds),
        "cost": found.cost,
        "stage_runs": dict(found.stage_runs),
    }


def component_rows(found: Attribution) -> list[dict[str, str]]:
    """Cells of the table of components."""
    reference = found.reference
    causes = Counter(traced.component for traced in found.traces)
    rows = []
    for name, share in found.shares.items():
        quality, good = found.qualities.get(name), reference.qualities.get(name)
        rows.append(
            {
                "name": name,
                "share": f"{share:+.3f}",
                "reference": _number(reference.shares.get(name), "+.3f"),
                "alone": f"{found.alone[name] - found.score:+.3f}",
                "quality": _number(quality, ".3f"),
                "good": _number(good, ".3f"),
                "cones": str(causes[name]),
            }
        )
    if causes[""]:
        rows.append(
            {**dict.fromkeys(rows[0], ""), "name": "no component", "cones": str(causes[""])}
        )
    return rows


def error_rows(found: Attribution) -> list[dict[str, str]]:
    """Cells of the table of errors of mounting and stamps."""
    rows = []
    for name, estimate in {**found.refinement.mounting, **found.refinement.time}.items():
        scale, unit = _unit(name)
        rows.append(
            {
                "name": name.replace("_", " "),
                "value": f"{scale * estimate.value:+.2f} {unit}",
                "deviation": f"{scale * estimate.deviation:.2f} {unit}",
                "is_wrong": "yes" if is_wrong(name, estimate) else "",
            }
        )
    return rows


def gradient_rows(found: Attribution) -> list[dict[str, Any]]:
    """Cells of the table of gradient shares."""
    return [
        {"term": term, "shares": [f"{stage} {share:.0%}" for stage, share in shares.items()]}
        for term, shares in found.gradients.items()
    ]


def _unit(name: str) -> tuple[float, str]:
    if "turn" in name:
        return math.degrees(1.0), "degrees"
    return (1000.0, "ms") if "time" in name else (100.0, "cm")


def _number(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)


def _share_figure(found: Attribution, standing: set[str]) -> Figure:
    """Bars of the shares; those that stand out in red, crossed."""
    figure, axes = new_figure(7.0, 0.45 * len(found.shares) + 1.0)
    names = list(found.shares)[::-1]
    colours = [BAD if name in standing else ACCENT for name in names]
    axes.barh(names, [found.shares[name] for name in names], color=colours, height=0.6,
              hatch=[HATCHES.get(colour, "") for colour in colours], edgecolor="white",
              linewidth=0)  # fmt: skip
    axes.axvline(0.0, color=GREY, linewidth=1.0)
    axes.set_xlabel("share of the gap to perfect (F1 with colour)")
    axes.grid(axis="y", visible=False)
    return figure
