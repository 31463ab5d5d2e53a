"""Style of all figures of the report."""

import base64
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conegrad_core.cones import COLOUR_NAMES, ConeClass
from conegrad_core.drawing import COLOURS_RGB

# Good and bad are teal and red: under deuteranopia one looks blue and the other brown. What has
# only these colours to tell it apart gets HATCHES or another mark as well.
INK = "#1b222c"
MUTED = "#56606d"
LINE = "#dfe3e8"
ACCENT = "#1f64de"
GOOD = "#14897b"
BAD = "#cb3a54"
WARN = "#e8a33d"
GREY = "#aab2bc"
CELL_INK = "#1b222d"  # on the light cells of a heat map, which are light in the dark as well
HATCHES = {GOOD: "", WARN: "///", BAD: "xxx", GREY: "..", LINE: ""}
# Colours of a figure in a page that is shown dark.
DARK = {
    INK: "#e7ebf0",
    MUTED: "#a9b3bf",
    LINE: "#343c47",
    ACCENT: "#76a6f7",
    GOOD: "#4fc3b3",
    BAD: "#f58a9d",
    GREY: "#6b7683",
}
PNG_DPI = 120

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "hatch.linewidth": 1.2,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "conegrad",  # so that equal figures give equal files
}


def colour_hex(cone: ConeClass) -> str:
    """Colour of a class as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS_RGB[cone])


def class_handles(size: float, markers: Mapping[ConeClass, str] | None = None) -> list[Line2D]:
    """Legend entries of the colours of the cone classes.

    Args:
        size: of the marks [points].
        markers: by class; None gives squares.
    """
    return [
        Line2D([], [], marker=markers[ConeClass(index)] if markers else "s", linestyle="",
               color=colour_hex(ConeClass(index)), markersize=size, label=name.replace("_", " "))
        for index, name in enumerate(COLOUR_NAMES)
    ]  # fmt: skip


@contextmanager
def report_style() -> Iterator[None]:
    """Draw with the style of the report inside the ``with`` block."""
    with mpl.rc_context(STYLE):
        yield


def new_figure(width: float = 5.4, height: float = 3.6) -> tuple[Figure, Axes]:
    """Figure of a size [inch] with one pair of axes, drawn without a display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def svg_uri(figure: Figure) -> str:
    """Figure as a data URI for ``<img src>``; it follows the colour scheme of its page."""
    buffer = io.BytesIO()
    # By default, matplotlib writes the date into the file.
    figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=2 * PNG_DPI, transparent=True)
    return data_uri(_with_dark_colours(buffer.getvalue()), "image/svg+xml")


def _with_dark_colours(svg: bytes) -> bytes:
    """The colours of the style as variables, which have other values in the dark."""
    text = svg.decode("utf-8")
    names = {colour: f"--c{colour[1:]}" for colour in DARK}
    for colour, name in names.items():
        text = text.replace(f": {colour}", f": var({name})")
    light, dark = (
        ";".join(f"{names[colour]}:{value}" for colour, value in pairs)
        for pairs in (zip(DARK, DARK, strict=True), DARK.items())
    )
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    head, end, rest = text.partition("<defs>")
    return f"{head}{style}{end}{rest}".encode() if end else svg


def png_bytes(figure: Figure, dpi: int = PNG_DPI) -> bytes:
    """Figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
