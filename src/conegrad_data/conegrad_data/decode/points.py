"""Point clouds to arrays."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from conegrad_data.decode.beam_times import NOT_COMPENSATED, TIME_FIELDS, point_times
from conegrad_data.decode.errors import DecodeError, from_content
from conegrad_data.decode.geometry import stamp_ns_from_msg

# sensor_msgs/PointField datatype -> numpy type code
DATATYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
COORDINATES = ("x", "y", "z")
RING = "ring"
MAX_DISTANCE = 1e4  # [m] along an axis; a point farther away is none, and its square is finite


class PointCloud(NamedTuple):
    """The finite points of one cloud.

    Attributes:
        points: ``(N, 3)`` in the frame of the LiDAR [m].
        rings: ``(N,)`` int64 number of the laser, or None if the message does not tell.
        times: ``(N,)`` float64 when each was measured, after the stamp [s], or None likewise.
        warning: what is wrong with the times, or empty.
        is_anchored: False where only differences of the times hold.
    """

    points: Tensor
    rings: Tensor | None
    times: Tensor | None = None
    warning: str = ""
    is_anchored: bool = True


@from_content
def points_from_msg(msg: Any) -> PointCloud:
    """Points of a sensor_msgs/PointCloud2; points that are not finite are left out.

    Raises:
        DecodeError: if a field is missing or the data has another size.
    """
    records = _records(msg)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = [records[name].astype(np.float32) for name in COORDINATES]
    points = np.stack(columns, axis=-1)
    usable: np.ndarray = np.all(np.abs(points) <= MAX_DISTANCE, axis=-1)  # false for NaN
    rings = None
    if RING in (records.dtype.names or ()):
        rings = torch.from_numpy(records[RING].astype(np.int64)[usable])
    return PointCloud(torch.from_numpy(points[usable]), rings, *_times(msg, records, usable))


def _times(msg: Any, records: np.ndarray, usable: np.ndarray) -> tuple[Tensor | None, str, bool]:
    name = next((name for name in records.dtype.names or () if name in TIME_FIELDS), None)
    if name is None:
        unread = [field.name for field in msg.fields if field.name in TIME_FIELDS]
        fault = f"the field {unread[0]} cannot be read: {NOT_COMPENSATED}" if unread else ""
        return None, fault, True
    stamp_ns = stamp_ns_from_msg(msg.header.stamp)
    times, warning, is_anchored = point_times(name, records[name][usable], stamp_ns)
    return None if times is None else torch.from_numpy(times), warning, is_anchored


def _layout(msg: Any) -> np.dtype:
    """Where the fields that are read lie in a point."""
    named = [field.name for field in msg.fields]
    fields = [field for field in msg.fields if field.name in (*COORDINATES, RING)]
    time = next((field for field in msg.fields if _is_time(field, named, msg.point_step)), None)
    fields += [] if time is None else [time]
    for field in fields:
        _check_field(field, msg.point_step)
        if named.count(field.name) > 1:
            raise DecodeError(f"fields are {named}: the name {field.name} is already used")
    if not set(COORDINATES) <= set(named):
        raise DecodeError(f"fields are {named}, expected x, y and z among them")
    order = ">" if msg.is_bigendian else "<"
    return np.dtype(
        {
            "names": [field.name for field in fields],
            "formats": [order + DATATYPES[field.datatype] for field in fields],
            "offsets": [field.offset for field in fields],
            "itemsize": msg.point_step,
        }
    )


def _is_time(field: Any, named: list[str], point_step: int) -> bool:
    """Whether a field holds times that can be read; a cloud is of use without them."""
    if field.name not in TIME_FIELDS or named.count(field.name) > 1:
        return False
    try:
        _check_field(field, point_step)
    except DecodeError:
        return False
    return True


def _check_field(field: Any, point_step: int) -> None:
    if field.datatype not in DATATYPES:
        raise DecodeError(f"field {field.name} has datatype {field.datatype}, expected 1 to 8")
    if field.count > 1:
        raise DecodeError(f"field {field.name} has count {field.count}, expected 1")
    if field.name == RING and "f" in DATATYPES[field.datatype]:
        raise DecodeError(f"field ring has datatype {field.datatype}, expected an integer")
    end = field.offset + np.dtype(DATATYPES[field.datatype]).itemsize
    if end > point_step:
        raise DecodeError(
            f"the bytes {field.offset} to {end} of field {field.name} do not fit a point_step of "
            f"{point_step}"
        )


def _records(msg: Any) -> np.ndarray:
    """``(N,)`` structured array, a view of the message where its rows have no padding."""
    layout = _layout(msg)
    return _rows(msg).view(layout)


def _rows(msg: Any) -> np.ndarray:
    """The bytes of all points, without the padding of rows.

    Drivers leave ``row_step`` at 0, or set it to the size of the whole cloud; where the data has
    exactly the bytes of all points, it cannot be padded.
    """
    row_bytes = msg.point_step * msg.width
    data = np.frombuffer(msg.data, dtype=np.uint8)
    if len(data) == row_bytes * msg.height:
        return data
    if not row_bytes * msg.height:
        raise DecodeError(
            f"data has {len(data)} bytes, expected none for {msg.height} rows of {msg.width} points"
        )
    # The last row needs no padding.
    if msg.row_step < row_bytes or len(data) < msg.row_step * (msg.height - 1) + row_bytes:
        raise DecodeError(
            f"data has {len(data)} bytes and row_step is {msg.row_step}, expected "
            f"{msg.height} rows of {row_bytes}"
        )
    rows = [data[start : start + row_bytes] for start in range(0, len(data), msg.row_step)]
    return np.concatenate(rows[: msg.height])
