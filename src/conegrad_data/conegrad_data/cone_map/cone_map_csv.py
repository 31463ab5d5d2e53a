"""Cone maps as CSV files: one cone per row, colours by name."""

import csv
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import COLOUR_NAMES
from conegrad_data.csv_table import csv_rows

OWN_COLUMNS = ("x", "y", "colour")
FOREIGN_COLUMNS = ("X", "Y", "cone_type")  # of the EPFL track database
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COLOUR_ALIASES = {
    "orange": "small_orange",
    "orange_small": "small_orange",
    "orange_big": "big_orange",
}


def save_cones(positions: Floats, classes: Ints, path: str | Path) -> None:
    """Write ``(N, 2)`` positions [m], to the millimetre, and ``(N,)`` classes as a cone map."""
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(OWN_COLUMNS)
        for (x, y), colour in zip(positions, classes, strict=True):
            writer.writerow([f"{x:.3f}", f"{y:.3f}", COLOUR_NAMES[colour]])


def read_cones(path: str | Path) -> tuple[Floats, Ints]:
    """Read ``(N, 2)`` positions [m] and ``(N,)`` classes of a cone map.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming file, line, value and what was expected.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path}: no such file, expected a map of the cones, CSV with {','.join(OWN_COLUMNS)}"
        )
    with csv_rows(path) as reader:
        columns = _columns(path, reader.fieldnames or ())
        rows = [_read_row(path, reader.line_num, row, columns) for row in reader]
    if not rows:
        raise ValueError(f"{path}: no cone in it, expected at least one row below the header")
    positions = np.array([row[:2] for row in rows], dtype=np.float64)
    return positions, np.array([row[2] for row in rows], dtype=np.int64)


def _columns(path: str | Path, names: object) -> tuple[str, str, str]:
    found = [str(name) for name in names] if isinstance(names, (list, tuple)) else []
    for columns in (OWN_COLUMNS, FOREIGN_COLUMNS):
        if set(columns) <= set(found):
            return columns
    raise ValueError(
        f"{path}: columns are {found}, expected {','.join(OWN_COLUMNS)} or cone_type,X,Y"
    )


def _read_row(
    path: str | Path, line: int, row: dict[str, str], columns: tuple[str, str, str]
) -> tuple[float, float, int]:
    x, y, colour = (row[column] for column in columns)
    name = (colour or "").strip().lower()
    name = COLOUR_ALIASES.get(name, name)
    if name not in COLOUR_NAMES:
        expected = ", ".join(COLOUR_NAMES)
        raise ValueError(f"{path}, line {line}: colour is {colour!r}, expected one of {expected}")
    return _number(path, line, x), _number(path, line, y), COLOUR_NAMES.index(name)


def _number(path: str | Path, line: int, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path}, line {line}: coordinate is {text!r}, expected metres")
    return value
