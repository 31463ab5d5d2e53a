"""Files of a cross evaluation: figures, heat map and an HTML report."""

import json
from pathlib import Path
from typing import Any

from conegrad_evaluation.cross.cross_evaluation import CrossEvaluation
from conegrad_evaluation.cross.findings import Findings, compare_systems, sentences
from conegrad_evaluation.cross.heat_map import draw_heat_map
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.report.figure_style import png_bytes, report_style, svg_uri
from conegrad_evaluation.report.html_template import template_of

METRICS, HEAT_MAP, REPORT = "metrics.json", "heat_map.png", "report.html"
COLUMNS = ("f1_colour", "f1", "precision", "recall", "rmse")  # of the table, with those of ports


def write_files(evaluation: CrossEvaluation, findings: Findings, folder: Path) -> Path:
    """Write ``metrics.json``, ``heat_map.png`` and ``report.html``.

    Returns:
        Path of the report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(_content(evaluation, findings), indent=2, allow_nan=False)
    (folder / METRICS).write_text(content + "\n", encoding="utf-8")
    with report_style():
        figure = draw_heat_map(evaluation, findings)
        (folder / HEAT_MAP).write_bytes(png_bytes(figure))
        picture = svg_uri(figure)
    context = {
        "sentences": sentences(evaluation, findings),
        "heat_map": picture,
        "header": table_header(evaluation),
        "rows": table_rows(evaluation, findings),
        "frames": len(evaluation.frames),
        "bags": sorted({key.bag for key in evaluation.frames}),
        "timings": _timings(evaluation),
        "versions": [v for of_stage in evaluation.versions.values() for v in of_stage],
    }
    template = template_of("conegrad_evaluation.cross", "cross.html")
    (folder / REPORT).write_text(template.render(context), encoding="utf-8")
    return folder / REPORT


def table_header(evaluation: CrossEvaluation) -> list[str]:
    """Names of the columns of :func:`table_rows`."""
    qualities = [f"{port} quality" for port in evaluation.qualities[0]]
    figures = [*_figures(evaluation), *qualities]
    return [*evaluation.versions, *figures, "latency [ms]", "to the best"]


def table_rows(evaluation: CrossEvaluation, findings: Findings) -> list[list[str]]:
    """One row per system, the best one first."""
    places = sorted(range(len(evaluation.scores)), key=lambda place: -evaluation.scores[place])
    rows = []
    for place in places:
        headline = evaluation.metrics[place].headline()
        compared = compare_systems(evaluation, place, findings.best)
        low, high = compared.interval.low, compared.interval.high
        difference = f"{compared.difference:+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append(
            [version.label for version in evaluation.combinations[place].chosen.values()]
            + [f"{headline[name]:.3f}" for name in _figures(evaluation)]
            + [f"{value:.3f}" for value in evaluation.qualities[place].values()]
            + [f"{evaluation.latencies[place] * 1e3:.1f}"]
            + ["best" if place == findings.best else difference]
        )
    return rows


def _figures(evaluation: CrossEvaluation) -> list[str]:
    """Figures of the system, then those of ports that have labels."""
    metrics = evaluation.metrics[0]
    return [*COLUMNS, *metrics.ports_of_figures()]


def _timings(evaluation: CrossEvaluation) -> list[tuple[str, str, str]]:
    """Stage, its versions in the chain, and the time of a frame [ms]."""
    found: dict[str, tuple[str, str, str]] = {}
    for combination in evaluation.combinations:
        for stage in evaluation.layout.order:
            chain = combination.chains[stage]
            before = {stage, *evaluation.layout.upstream(stage)}
            versions = [str(v) for name, v in combination.chosen.items() if name in before]
            if chain in evaluation.seconds and chain not in found:
                shared = len(versions) > 1 and evaluation.layout.classes[stage].joins
                label = "of the first system" if shared else ", ".join(versions) or "as it is"
                if shared and any(stage == row[0] for row in found.values()):
                    continue
                found[chain] = (stage, label, f"{evaluation.seconds[chain] * 1e3:.2f}")
    return list(found.values())


def _content(evaluation: CrossEvaluation, findings: Findings) -> dict[str, Any]:
    """Everything as JSON values."""
    systems = [
        {
            "versions": {name: v._asdict() for name, v in combination.chosen.items()},
            "hashes": dict(combination.hashes),
            "latency": evaluation.latencies[place],
            "qualities": evaluation.qualities[place],
            **evaluation.metrics[place].to_dict(),
        }
        for place, combination in enumerate(evaluation.combinations)
    ]
    values: dict[str, Any] = to_json_values(
        {
            "best": findings.best,
            "within_budget": findings.within,
            "latency_budget": findings.budget,
            "sentences": sentences(evaluation, findings),
            "frames": len(evaluation.frames),
            "bags": sorted({key.bag for key in evaluation.frames}),
            "systems": systems,
        }
    )
    return values
