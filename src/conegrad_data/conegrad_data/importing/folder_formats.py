"""Files of a general folder of recordings: stamps, scans, clouds and tables."""

import itertools
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.types import BagError
from conegrad_data.csv_table import csv_rows
from conegrad_data.importing.scan_tables import check_angles, even_beams

Array = npt.NDArray[np.float64]

NANOSECONDS = 1_000_000_000
NANOSECOND_DIGITS = 18  # a whole number of at least so many digits is a stamp in nanoseconds
BIN_COLUMNS = 4  # x, y, z, intensity, as KITTI has it


class StampedFile(NamedTuple):
    """A file and its stamp of capture [ns]."""

    stamp_ns: int
    path: Path


class RawScan(NamedTuple):
    """A planar scan.

    Attributes:
        ranges: ``(beams,)`` [m].
        angle_min: of the first beam [rad], None where the file has none.
        angle_increment: between beams [rad], None where the file has none.
        note: how its beams were put at even angles; empty where they were.
    """

    ranges: Array
    angle_min: float | None
    angle_increment: float | None
    note: str = ""


class Row(NamedTuple):
    """A row of a table: where it is (file and line), and its values by column name."""

    place: str
    values: dict[str, str]


def stamped_files(folder: Path, suffixes: tuple[str, ...]) -> list[StampedFile]:
    """Files of a folder in the order of time.

    Stamps come from ``stamps.csv`` in it (columns ``file,stamp``), else from the file names:
    seconds with a decimal point, or whole nanoseconds since 1970.

    Raises:
        BagError: if a stamp is missing, is not of these forms, or comes twice.
    """
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if path.suffix.lower() in suffixes]
    listed = _listed_stamps(folder / "stamps.csv")
    files = sorted(StampedFile(_stamp_of(path, listed), path) for path in paths)
    for before, after in itertools.pairwise(files):
        if before.stamp_ns == after.stamp_ns:
            raise BagError(f"{after.path} has the same stamp as {before.path.name}")
    return files


def parse_stamp(text: str) -> int:
    """Stamp [ns] of a text: seconds with a decimal point, or whole nanoseconds.

    Raises:
        ValueError: if the text is neither.
    """
    seconds, point, fraction = text.strip().partition(".")
    if point and seconds.isdigit() and fraction.isdigit():
        return int(seconds) * NANOSECONDS + int(fraction[:9].ljust(9, "0"))
    if text.strip().isdigit() and len(text.strip()) >= NANOSECOND_DIGITS:
        return int(text)
    raise ValueError(
        f"{reprlib.repr(text)} is not a stamp: expected seconds such as 12.05, or nanoseconds"
    )


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """Rows of a CSV file.

    Raises:
        BagError: if a column is missing or empty.
    """
    with csv_rows(path) as rows:
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise BagError(f"{path} has no column {missing[0]}; it has {rows.fieldnames}")
        for row in rows:
            place = f"{path}, line {rows.line_num}"
            empty = next((name for name in columns if row[name] in (None, "")), None)
            if empty:
                held = reprlib.repr(row)
                raise BagError(f"{place}: {empty} is empty in {held}, expected {columns}")
            yield Row(place, row)


def number(row: Row, column: str) -> float:
    """A number of a table.

    Raises:
        BagError: naming file, line, column and value.
    """
    try:
        return float(row.values[column])
    except ValueError as error:
        value = reprlib.repr(row.values[column])
        raise BagError(f"{row.place}: {column} is {value}, expected a number") from error


def table_stamp(row: Row) -> int:
    """The stamp [ns] in the column ``stamp`` of a table.

    Raises:
        BagError: naming file, line and value.
    """
    try:
        return parse_stamp(row.values["stamp"])
    except ValueError as error:
        raise BagError(f"{row.place}: {error}") from error


def read_scan(path: Path) -> RawScan:
    """Scan of a file: .npz, .npy (ranges alone) or .csv (columns ``angle,range``).

    Beams of a table that are not evenly spaced are put at even angles, and the note states how.

    Raises:
        BagError: if the file holds something else, or angles that are not in radians.
    """
    if path.suffix.lower() == ".csv":
        return _scan_of_table(path)
    loaded = _load_numpy(path)
    if isinstance(loaded, np.ndarray):
        return RawScan(_flat(path, loaded), None, None)
    if "ranges" not in loaded:
        raise BagError(f"{path} holds {sorted(loaded)}, expected ranges")
    first, increment = (
        float(loaded[key]) if key in loaded else None for key in ("angle_min", "angle_increment")
    )
    ranges = _flat(path, loaded["ranges"])
    if increment is not None:
        check_angles(path, first or 0.0, increment, len(ranges))
    return RawScan(ranges, first, increment)


def read_cloud(path: Path, columns: int = BIN_COLUMNS) -> Array:
    """``(N, 3)`` or ``(N, 4)`` points of a .bin (float32), .npy or .pcd file [m].

    Args:
        path: the file.
        columns: float32 values per point of a .bin file; the first are x, y, z, intensity.

    Raises:
        BagError: if the file holds something else.
    """
    if path.suffix.lower() == ".pcd":
        return _cloud_of_pcd(path)
    if path.suffix.lower() == ".npy":
        points = _load_numpy(path)
    else:
        values = np.fromfile(path, dtype=np.float32)
        if values.size % columns:
            raise BagError(f"{path}: {values.size} float32 values, expected rows of {columns}")
        points = values.reshape(-1, columns)
    if points.ndim != 2 or points.shape[1] < 3:
        raise BagError(f"{path} has shape {points.shape}, expected (N, 3) or more columns")
    return np.asarray(points[:, :4], dtype=np.float64)


def _listed_stamps(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    return {r.values["file"]: table_stamp(r) for r in read_table(path, ("file", "stamp"))}


def _stamp_of(path: Path, listed: dict[str, int]) -> int:
    if path.name in listed:
        return listed[path.name]
    if listed:
        raise BagError(f"{path} is not listed in {path.parent / 'stamps.csv'}")
    try:
        return parse_stamp(path.stem)
    except ValueError as error:
        raise BagError(
            f"{path}: the name is not a stamp; name files by their stamp (12.050000.png, or "
            f"nanoseconds), or add {path.parent / 'stamps.csv'} with the columns file,stamp"
        ) from error


def _scan_of_table(path: Path) -> RawScan:
    rows = list(read_table(path, ("angle", "range")))
    angles = np.array([number(row, "angle") for row in rows])
    ranges = np.array([number(row, "range") for row in rows])
    if len(angles) < 2:
        raise BagError(f"{path} has {len(angles)} beams, expected two or more")
    return RawScan(*even_beams(path, angles, ranges))


def _load_numpy(path: Path) -> Any:
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    except (ValueError, OSError, EOFError) as error:
        raise BagError(f"{path}: not a numpy file without pickled objects ({error})") from error


def _flat(path: Path, ranges: Any) -> Array:
    if ranges.ndim != 1 or len(ranges) < 2:
        raise BagError(f"{path}: ranges has shape {ranges.shape}, expected (beams,)")
    return np.asarray(ranges, dtype=np.float64)


def _cloud_of_pcd(path: Path) -> Array:
    import open3d

    points = np.asarray(open3d.io.read_point_cloud(path).points)
    if len(points) == 0:
        raise BagError(f"{path}: Open3D reads no point from it")
    return points
