"""The graph of a pipeline as a picture: stages from left to right, ports at the edges.

A stage differs by shape, by line and by colour: a network is a pill, a stage that learns along is
a hexagon, one without weights is a rectangle.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Curve
from matplotlib.textpath import TextPath

from conegrad_core.pipeline.layout import Layout
from conegrad_evaluation.report.figure_style import ACCENT, INK, MUTED, report_style
from conegrad_evaluation.report.layered_layout import (
    Edge,
    Node,
    layered_layout,
)

SUFFIXES = (".svg", ".png")
DPI = 110  # of a PNG
FILL = "#d8e5fb"  # of stages that learn
NOTE_COLOUR = "#454d58"
NAME_SIZE, NOTE_SIZE, LINE_WIDTH = 10.0, 8.5, 1.2  # [points]
# All lengths are inches.
LINE_HEIGHT, PADDING, BEND, ARROW = 0.17, 0.13, 0.36, 0.1
LANE, GAP, MARGIN = 0.12, 0.26, 0.12
LABEL_GAP, LEGEND_HEIGHT, LEGEND_STEP = 0.16, 0.2, 0.75
TIP = 0.3  # of the height of a hexagon
INPUT, OUTPUT = "input ", "output "  # nodes of ports; no name of a stage has a blank
NETWORK, JOINING, FIXED = "network", "joining", "fixed"  # styles
LEGEND = {
    NETWORK: "network",
    JOINING: "learns along with the networks",
    FIXED: "nothing to learn",
}


@dataclass(frozen=True)
class Box:
    """A node as it is drawn.

    Attributes:
        lines: of text, the first one is its name.
        style: ``network``, ``joining``, ``fixed``, or empty for an input or output.
    """

    lines: tuple[str, ...]
    style: str

    @property
    def height(self) -> float:
        """Of the box."""
        return len(self.lines) * LINE_HEIGHT + 2 * (PADDING if self.style else 0.0)

    @property
    def width(self) -> float:
        """Of the box, with room for its round or pointed ends."""
        sizes = [text_width(self.lines[0], NAME_SIZE, is_bold=True)]
        sizes += [text_width(line, NOTE_SIZE) for line in self.lines[1:]]
        ends = {NETWORK: 0.8, JOINING: 0.6, FIXED: 0.0}.get(self.style, -1.0) * self.height
        return max(sizes) + (2 * PADDING + 0.5 * ends if self.style else 0.08)

    def reach(self, y: float) -> float:
        """From the middle of the box to its end, at a height above its middle."""
        half = self.height / 2
        if self.style == NETWORK:
            return self.width / 2 - half + math.sqrt(max(half**2 - y**2, 0.0))
        return self.width / 2 - (
            abs(y) / half * TIP * self.height if self.style == JOINING else 0.0
        )


def draw_pipeline(layout: Layout, notes: Mapping[str, str], title: str) -> Figure:
    """Draw the stages of a pipeline and what flows between them.

    Args:
        layout: of the pipeline.
        notes: last line of a stage, by its name.
        title: above the picture.
    """
    with report_style():
        return _Diagram(_boxes(layout, notes), _edges(layout)).draw(title)


def draw_graph(
    boxes: Mapping[str, Box], edges: Sequence[Edge], title: str, legend: Mapping[str, str]
) -> Figure:
    """Draw any graph without cycle; its edges have no labels.

    Args:
        boxes: by the name of the node.
        edges: between them.
        title: above the picture.
        legend: what the styles of the boxes mean.
    """
    with report_style():
        return _Diagram(boxes, edges, legend, is_labelled=False).draw(title)


def save_diagram(figure: Figure, path: Path) -> None:
    """Write a picture; equal figures give equal files.

    Raises:
        ValueError: for another format than SVG and PNG.
    """
    check_suffix(path)
    metadata = {"Date": None} if path.suffix == ".svg" else {}  # matplotlib would write the date
    with report_style():
        figure.savefig(path, dpi=DPI, metadata=metadata)


def check_suffix(path: Path) -> None:
    """Refuse a file of another format than SVG and PNG.

    Raises:
        ValueError: naming the file.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path} ends with {path.suffix!r}, expected {' or '.join(SUFFIXES)}")


@lru_cache(maxsize=256)
def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """Width of a text [inch]."""
    if not text.strip():
        return 0.0  # TextPath refuses it
    font = FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).get_extents().width) / 72


def _boxes(layout: Layout, notes: Mapping[str, str]) -> dict[str, Box]:
    specification = layout.specification
    boxes = {f"{INPUT}{port}": Box((port, kind), "") for port, kind in specification.inputs.items()}
    for name, stage in specification.stages.items():
        lines = (name, stage.module, *filter(None, [notes.get(name, "")]))
        style = JOINING if name in layout.learned_stages else FIXED
        boxes[name] = Box(lines, NETWORK if name in layout.networks else style)
    for output, port in specification.outputs.items():
        boxes[f"{OUTPUT}{output}"] = Box((output, layout.kinds[port]), "")
    return boxes


def _edges(layout: Layout) -> list[Edge]:
    """An edge per port."""
    specification, edges = layout.specification, []
    for port in layout.kinds:
        writer = layout.writers.get(port, f"{INPUT}{port}")
        readers = [n for n, s in specification.stages.items() if port in s.inputs.values()]
        results = [f"{OUTPUT}{name}" for name, of in specification.outputs.items() if of == port]
        edges.append(Edge(port, writer, (*readers, *results)))
    return edges


class _Column(NamedTuple):
    """Left and right end of the boxes of a layer, and where the labels of its edges end."""

    left: float
    right: float
    label_end: float


class _Diagram:
    """Boxes and edges at their places."""

    def __init__(
        self,
        boxes: Mapping[str, Box],
        edges: Sequence[Edge],
        legend: Mapping[str, str] = MappingProxyType(LEGEND),
        *,
        is_labelled: bool = True,
    ) -> None:
        self._boxes, self._legend = boxes, legend
        sizes = {name: box.height for name, box in boxes.items()}
        self._places = layered_layout(list(boxes), edges, sizes, lane=LANE, gap=GAP)
        self._named = {
            edge.name: edge.source
            for edge in edges
            if is_labelled and edge.source not in _inputs(boxes)
        }
        self._columns: list[_Column] = []
        self._column_of: dict[Node, _Column] = {}
        left = 0.0
        for layer in self._places.layers:
            right = left + max((boxes[n].width for n in layer if isinstance(n, str)), default=0.0)
            own = [port for port, source in self._named.items() if source in layer]
            labels = max((text_width(port, NOTE_SIZE) for port in own), default=0.0)
            column = _Column(left, right, right + labels + (LABEL_GAP if own else 0.0))
            self._columns.append(column)
            self._column_of.update(dict.fromkeys(layer, column))
            left = column.label_end + BEND

    def draw(self, title: str) -> Figure:
        """The picture."""
        heights = self._places.heights
        half = {n: self._boxes[n].height / 2 if isinstance(n, str) else 0.0 for n in heights}
        low = min(y - half[n] for n, y in heights.items()) - 2 * MARGIN - LEGEND_HEIGHT
        high = max(y + half[n] for n, y in heights.items()) + 2 * MARGIN + LINE_HEIGHT
        styles = [s for s in self._legend if s in {box.style for box in self._boxes.values()}]
        legend = sum(text_width(self._legend[s], NOTE_SIZE) + LEGEND_STEP for s in styles)
        width = max(self._columns[-1].label_end, legend, text_width(title, NAME_SIZE, is_bold=True))
        figure = Figure(figsize=(width + 2 * MARGIN, high - low))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(-MARGIN, width + MARGIN), ylim=(low, high))
        axes.set_axis_off()
        _write(axes, 0.0, high - MARGIN - LINE_HEIGHT / 2, title, is_name=True, align="left")
        for port, segments in self._places.segments.items():
            for source, target in segments:
                self._draw_segment(axes, port, source, target)
            if port in self._named:
                self._draw_label(axes, port, self._named[port])
        for name, box in self._boxes.items():
            _draw_box(axes, box, self._middle(name), heights[name])
        shown = {style: self._legend[style] for style in styles}
        _draw_legend(axes, shown, low + MARGIN + LEGEND_HEIGHT / 2)
        return figure

    def _height(self, node: Node) -> float:
        return self._places.heights[node]

    def _middle(self, node: Node) -> float:
        return (self._column_of[node].left + self._column_of[node].right) / 2

    def _draw_segment(self, axes: Axes, port: str, source: Node, target: Node) -> None:
        first, last = self._column_of[source], self._column_of[target]
        y0 = self._ends(source, self._leaving(source))[port]
        y1 = self._ends(target, self._arriving(target))[port]
        start, end = first.left, last.left
        if isinstance(source, str):
            start = self._middle(source) + self._boxes[source].reach(y0 - self._height(source))
        if isinstance(target, str):
            end = self._middle(target) - self._boxes[target].reach(y1 - self._height(target))
            _draw_arrow_head(axes, end, y1)
            end -= ARROW / 2
        bent = last.left - ARROW
        middle = (first.label_end + bent) / 2
        points = [(start, y0), (first.label_end, y0), (middle, y0), (middle, y1),
                  (bent, y1), (end, y1)]  # fmt: skip
        codes = [Curve.MOVETO, Curve.LINETO, *[Curve.CURVE4] * 3, Curve.LINETO]
        curve = Curve(points, codes)
        axes.add_patch(PathPatch(curve, fill=False, ec=MUTED, lw=LINE_WIDTH, zorder=2))

    def _draw_label(self, axes: Axes, port: str, writer: str) -> None:
        """Name of a port above the beginning of its edge; a port that nobody reads ends there."""
        y, column = self._ends(writer, self._leaving(writer))[port], self._column_of[writer]
        start = self._middle(writer) + self._boxes[writer].width / 2
        axes.text((start + column.label_end) / 2, y + 0.03, port, ha="center", va="bottom",
                  size=NOTE_SIZE, color=INK, zorder=4)  # fmt: skip
        if not self._places.segments[port]:
            axes.plot(
                [start, column.label_end], [y, y], color=MUTED, linewidth=LINE_WIDTH, zorder=2
            )

    def _leaving(self, node: Node) -> dict[str, float]:
        """Mean height of the ends of each edge that leaves a node."""
        heights = self._places.heights
        found = {port: [heights[node]] for port, source in self._named.items() if source == node}
        for port, segments in self._places.segments.items():
            ends = [heights[target] for source, target in segments if source == node]
            found |= {port: ends} if ends else {}
        return {port: sum(ends) / len(ends) for port, ends in found.items()}

    def _arriving(self, node: Node) -> dict[str, float]:
        """Height of the beginning of each edge that reaches a node."""
        return {
            port: self._places.heights[source]
            for port, segments in self._places.segments.items()
            for source, target in segments
            if target == node
        }

    def _ends(self, node: Node, wanted: Mapping[str, float]) -> dict[str, float]:
        """Height at which each edge meets a node: in the order of their other ends."""
        ports = sorted(wanted, key=wanted.__getitem__)
        centre = self._places.heights[node]
        step = LINE_HEIGHT
        if isinstance(node, str) and len(ports) > 1:
            step = min(step, (self._boxes[node].height - 2 * PADDING) / (len(ports) - 1))
        return {p: centre + (i - (len(ports) - 1) / 2) * step for i, p in enumerate(ports)}


def _inputs(boxes: Mapping[str, Box]) -> list[str]:
    return [name for name in boxes if name.startswith(INPUT)]


def _draw_box(axes: Axes, box: Box, x: float, y: float) -> None:
    if box.style:
        _draw_shape(axes, box.style, x, y, box.width, box.height)
    top = y + (len(box.lines) - 1) / 2 * LINE_HEIGHT
    for index, line in enumerate(box.lines):
        _write(axes, x, top - index * LINE_HEIGHT, line, is_name=index == 0)


def _write(
    axes: Axes, x: float, y: float, text: str, *, is_name: bool = False, align: str = "center"
) -> None:
    size, weight, colour = NOTE_SIZE, "normal", NOTE_COLOUR
    if is_name:
        size, weight, colour = NAME_SIZE, "bold", INK
    axes.text(x, y, text, ha=align, va="center_baseline", size=size, weight=weight, color=colour,
              zorder=4)  # fmt: skip


def _draw_arrow_head(axes: Axes, x: float, y: float) -> None:
    corners = [(x, y), (x - ARROW, y + ARROW / 2), (x - ARROW, y - ARROW / 2)]
    axes.add_patch(Polygon(corners, closed=True, color=MUTED, lw=0.0, zorder=2))


def _draw_shape(axes: Axes, style: str, x: float, y: float, width: float, height: float) -> None:
    left, right, low, high = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    learned: dict[str, Any] = {"facecolor": FILL, "edgecolor": ACCENT, "linewidth": 2.2}
    shape: Patch
    if style == NETWORK:
        radius = height / 2
        round_ends = f"round,pad={radius},rounding_size={radius}"
        shape = FancyBboxPatch((left + radius, y), width - height, 0.0, round_ends, **learned)
    elif style == JOINING:
        tip = TIP * height
        corners = [(left, y), (left + tip, high), (right - tip, high),
                   (right, y), (right - tip, low), (left + tip, low)]  # fmt: skip
        shape = Polygon(corners, closed=True, **learned)
    else:
        shape = Rectangle((left, low), width, height, fc="white", ec=INK, lw=0.9)
    shape.set_zorder(3)
    axes.add_patch(shape)


def _draw_legend(axes: Axes, legend: Mapping[str, str], y: float) -> None:
    x = 0.0
    for style, text in legend.items():
        _draw_shape(axes, style, x + 0.2, y, 0.4, LEGEND_HEIGHT)
        _write(axes, x + 0.48, y, text, align="left")
        x += text_width(text, NOTE_SIZE) + LEGEND_STEP
