"""Page of a recorded system: what it is, where it comes from, drawn as a graph."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from conegrad_core.pipeline.build import layout_of
from conegrad_core.system_record.lineage import Ancestor
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.whole_file import write_whole
from conegrad_evaluation.report.figure_style import report_style
from conegrad_evaluation.report.html_template import template_of
from conegrad_evaluation.report.layered_layout import Edge
from conegrad_evaluation.report.pipeline_diagram import (
    FIXED,
    NETWORK,
    Box,
    draw_graph,
    draw_pipeline,
)

SCORE = "f1_colour"
DATE = 10  # characters of a time
LEGEND = {NETWORK: "this system", FIXED: "what it comes from"}


def write_system_page(record: SystemRecord, ancestors: Sequence[Ancestor], path: Path) -> None:
    """Write the page of a system.

    Args:
        record: of the system.
        ancestors: its lineage, itself last.
        path: of the HTML file.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    graph = layout_of(record.specification)
    notes = {
        name: f"{record.manifest.files[stage.weights].size / 1e6:.2f} MB of weights"
        for name, stage in record.entry.stages.items()
        if stage.weights
    }
    page = template_of("conegrad_evaluation.report", "system.html").render(
        record=record,
        described=record.description,
        names=ancestors[-1].names,
        lineage=_svg(draw_lineage(record, ancestors)),
        pipeline=_svg(draw_pipeline(graph, notes, record.entry.integration)),
        metrics=_metric_rows(record),
        stages=_stage_rows(record),
        settings=record.description.settings,
        files=record.manifest.files,
    )
    write_whole(path, page.encode())


def draw_lineage(record: SystemRecord, ancestors: Sequence[Ancestor]) -> Figure:
    """The graph of a lineage: an arrow from each parent to what was made of it."""
    boxes = {a.id: Box(_lines(a), NETWORK if a.id == record.id else FIXED) for a in ancestors}
    edges = []
    for parent in ancestors:
        children = tuple(a.id for a in ancestors if parent.id in a.parents)
        if children:
            edges.append(Edge(parent.id, parent.id, children))
    return draw_graph(boxes, edges, f"Lineage of {record.name}", LEGEND)


def _lines(ancestor: Ancestor) -> tuple[str, ...]:
    record = ancestor.record
    title = ", ".join(ancestor.names) or ancestor.id
    if record is None:
        return title, "not in this store"
    described = record.description
    lines = [title, f"{described.pattern or 'recorded'}, {described.created[:DATE]}"]
    if ancestor.changed:
        lines.append(f"changed: {', '.join(ancestor.changed)}")
    if SCORE in described.metrics.get("system", {}):
        lines.append(f"{SCORE} {described.metrics['system'][SCORE]:.3f}")
    return tuple(lines)


def _metric_rows(record: SystemRecord) -> list[tuple[str, str, str, str]]:
    """Part, name, value before the training and after it."""
    metrics = record.description.metrics
    before = metrics.get("before", {})
    return [
        (part, name, f"{before[name]:.4f}" if name in before else "-", f"{value:.4f}")
        for part, values in metrics.items()
        if part != "before"
        for name, value in values.items()
    ]


def _stage_rows(record: SystemRecord) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "module": stage.module,
            "hash": stage.hash,
            "settings": record.specification.stages[name].settings,
            "scalars": stage.scalars,
        }
        for name, stage in record.entry.stages.items()
    ]


def _svg(figure: Figure) -> str:
    """A figure as part of a page."""
    buffer = io.StringIO()
    with report_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
