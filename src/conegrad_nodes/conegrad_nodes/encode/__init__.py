"""Containers of the core to messages."""

from conegrad_nodes.encode.image import image_to_msg
from conegrad_nodes.encode.markers import markers_to_msg
from conegrad_nodes.encode.points import cone_points_to_msg
from conegrad_nodes.encode.results import (
    cones_to_msg,
    detections_to_msg,
    segmentation_to_msg,
    stamp_to_msg,
)
from conegrad_nodes.encode.truth import truth_to_msg

__all__ = [
    "cone_points_to_msg",
    "cones_to_msg",
    "detections_to_msg",
    "image_to_msg",
    "markers_to_msg",
    "segmentation_to_msg",
    "stamp_to_msg",
    "truth_to_msg",
]
