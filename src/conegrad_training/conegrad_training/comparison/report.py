"""The report of a comparison: one self-contained HTML file, and its plots as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from conegrad_evaluation.report.figure_style import png_bytes, report_style, svg_uri
from conegrad_evaluation.report.html_template import template_of
from conegrad_training.comparison import plots
from conegrad_training.comparison.groups import RunGroup, groups_of, has_own_runs
from conegrad_training.comparison.results import RunResult
from conegrad_training.comparison.scenarios import CONDITIONS, SCENARIOS, Scenario
from conegrad_training.comparison.settings import ComparisonConfig
from conegrad_training.comparison.tables import (
    COST_HEADER,
    cost_rows,
    part_figures,
    score_header,
    score_rows,
)


def write_report(results: Sequence[RunResult], config: ComparisonConfig, output: Path) -> Path:
    """Write ``report.html``, and its plots to ``plots``.

    Returns:
        Path of the report.
    """
    template = template_of("conegrad_training.comparison", "compare.html")
    folder = output / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    with report_style():
        sections = [
            _section(name, scenario, groups, folder)
            for name, scenario in SCENARIOS.items()
            if has_own_runs(scenario, groups := groups_of(name, results, config.design.frames))
        ]
    context = {
        "sections": sections,
        "settings": sorted(config.by_name().items()),
        "runs": len(results),
        "cost_header": COST_HEADER,
    }
    report = output / "report.html"
    report.write_text(template.render(context), encoding="utf-8")
    return report


def _section(name: str, scenario: Scenario, groups: list[RunGroup], folder: Path) -> dict[str, Any]:
    condition = CONDITIONS[scenario.condition]
    drawn: dict[str, Figure] = {}
    if len(scenario.shares) > 1:
        drawn["frames"] = plots.shrinking_plot(groups)
    else:
        drawn["scores"] = plots.score_plot(groups, scenario.title)
        drawn["labels"] = plots.label_plot(groups)
        if part_figures(groups):
            drawn["parts"] = plots.part_plot(groups)
    uris = []
    for kind, figure in drawn.items():
        (folder / f"{name}_{kind}.png").write_bytes(png_bytes(figure))
        uris.append(svg_uri(figure))
    degradation = ", ".join(f"{key} {value}" for key, value in condition.degradation.items())
    return {
        "title": scenario.title,
        "hint": f"{name}: domain {condition.domain}"
        + (f"; degradation: {degradation}" if degradation else ""),
        "plots": uris,
        "score_header": score_header(groups),
        "scores": score_rows(groups),
        "costs": cost_rows(groups),
    }
