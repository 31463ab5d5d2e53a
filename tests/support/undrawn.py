"""Figures that are built and not rendered: rendering those of a report takes seconds."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image


def leave_undrawn(patch: pytest.MonkeyPatch) -> None:
    """From now on a saved figure is an empty picture of the format that is asked for."""
    patch.setattr(Figure, "savefig", _save_empty)


def _save_empty(_: Figure, target: Any, *, format: str | None = None, **__: object) -> None:
    kind = format or Path(target).suffix[1:]
    if kind == "svg":
        content = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    else:
        buffer = io.BytesIO()
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(buffer, format=kind)
        content = buffer.getvalue()
    if isinstance(target, (str, Path)):
        Path(target).write_bytes(content)
    else:
        target.write(content)
