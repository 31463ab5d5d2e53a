"""Cones as a coloured point cloud."""

from array import array

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from conegrad_core.cones import COLOUR_NAMES, Cones
from conegrad_core.geometry.mounting import Ground

# Colour of display by name, red, green, blue [0..255].
DISPLAY_COLOURS = {
    "blue": (20, 80, 230),
    "yellow": (250, 215, 20),
    "small_orange": (255, 130, 20),
    "big_orange": (230, 70, 10),
    "unknown": (150, 150, 150),
}
PALETTE = np.array([DISPLAY_COLOURS[name] for name in COLOUR_NAMES], dtype=np.uint32)
POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])


def cone_points_to_msg(cones: Cones, header: Header, ground: Ground) -> PointCloud2:
    """sensor_msgs/PointCloud2 with a point per cone on the ground; rgb is packed as in RViz."""
    count = len(cones.positions)
    points = np.zeros(count, dtype=POINT)
    points["x"], points["y"] = cones.positions.detach().numpy().T
    points["z"] = ground.z
    red, green, blue = PALETTE[cones.colours.detach().numpy().argmax(axis=1)].T
    points["rgb"] = (red << 16) | (green << 8) | blue
    return PointCloud2(
        header=header,
        height=1,
        width=count,
        fields=[
            PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
            for place, name in enumerate(("x", "y", "z", "rgb"))
        ],
        is_bigendian=False,
        point_step=POINT.itemsize,
        row_step=POINT.itemsize * count,
        data=array("B", points.tobytes()),
        is_dense=True,
    )
