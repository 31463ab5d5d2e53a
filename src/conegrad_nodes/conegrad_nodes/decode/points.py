"""Point clouds to arrays."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from conegrad_nodes.decode.errors import DecodeError

# sensor_msgs/PointField datatype -> numpy type code
DATATYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


class PointCloud(NamedTuple):
    """The finite points of one cloud.

    Attributes:
        points: ``(N, 3)`` in the frame of the LiDAR [m].
        rings: ``(N,)`` int64 number of the laser, or None if the message does not tell.
    """

    points: Tensor
    rings: Tensor | None


def points_from_msg(msg: Any) -> PointCloud:
    """Points of a sensor_msgs/PointCloud2; points that are not finite are left out.

    Raises:
        DecodeError: if a field is missing or the data has another size.
    """
    records = _records(msg)
    for name in ("x", "y", "z"):
        if name not in (records.dtype.names or ()):
            raise DecodeError(f"fields are {records.dtype.names}, expected x, y and z among them")
    points = np.stack([records[name].astype(np.float32) for name in ("x", "y", "z")], axis=-1)
    finite = np.isfinite(points).all(axis=-1)
    rings = None
    if "ring" in (records.dtype.names or ()):
        rings = torch.from_numpy(records["ring"].astype(np.int64)[finite])
    return PointCloud(torch.from_numpy(points[finite]), rings)


def _records(msg: Any) -> np.ndarray:
    """``(N,)`` structured array, a view of the message where its rows have no padding."""
    order = ">" if msg.is_bigendian else "<"
    fields = [field for field in msg.fields if field.count <= 1]
    for field in fields:
        if field.datatype not in DATATYPES:
            raise DecodeError(f"field {field.name} has datatype {field.datatype}, expected 1 to 8")
    description = {
        "names": [field.name for field in fields],
        "formats": [order + DATATYPES[field.datatype] for field in fields],
        "offsets": [field.offset for field in fields],
        "itemsize": msg.point_step,
    }
    try:
        layout = np.dtype(description)
    except ValueError as error:
        raise DecodeError(
            f"fields {description['names']} at bytes {description['offsets']} do not fit a "
            f"point_step of {msg.point_step} ({error})"
        ) from error
    row_bytes = msg.point_step * msg.width
    data = np.frombuffer(msg.data, dtype=np.uint8)
    if msg.row_step < row_bytes or len(data) < msg.row_step * msg.height:
        raise DecodeError(
            f"data has {len(data)} bytes and row_step is {msg.row_step}, expected "
            f"{msg.height} rows of {row_bytes}"
        )
    rows = data[: msg.row_step * msg.height].reshape(msg.height, msg.row_step)[:, :row_bytes]
    return np.ascontiguousarray(rows).reshape(-1).view(layout)
