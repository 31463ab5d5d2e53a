"""Style of all figures of the report."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conegrad_core.cones import COLOUR_NAMES, ConeClass
from conegrad_core.drawing import COLOURS_RGB

INK = "#1b222c"
MUTED = "#66707d"
LINE = "#dfe3e8"
ACCENT = "#1f64de"
GOOD = "#2f9e6e"
BAD = "#d6455d"
WARN = "#e8a33d"
GREY = "#aab2bc"
PNG_DPI = 120

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
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
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "conegrad",  # so that equal figures give equal files
}


def colour_hex(cone: ConeClass) -> str:
    """Colour of a class as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS_RGB[cone])


def class_handles(size: float) -> list[Line2D]:
    """Legend entries of the colours of the cone classes.

    Args:
        size: of the marks [points].
    """
    return [
        Line2D([], [], marker="s", linestyle="", color=colour_hex(ConeClass(index)),
               markersize=size, label=name.replace("_", " "))
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
    """Figure as a data URI for ``<img src>``."""
    buffer = io.BytesIO()
    # By default, matplotlib writes the date into the file.
    figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=2 * PNG_DPI)
    return data_uri(buffer.getvalue(), "image/svg+xml")


def png_bytes(figure: Figure, dpi: int = PNG_DPI) -> bytes:
    """Figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
