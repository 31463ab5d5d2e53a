"""Messages to the containers of the core, for live messages and messages of a bag alike."""

from conegrad_data.decode.camera_info import camera_model_from_msg
from conegrad_data.decode.cones import cones_from_msg, truth_from_msg
from conegrad_data.decode.errors import DecodeError, check_within, from_content
from conegrad_data.decode.geometry import (
    Matrix,
    matrix_from_transform,
    pose_from_msg,
    pose_matrix_from_msg,
    speed_from_msg,
    stamp_ns_from_msg,
    unit_quaternion,
)
from conegrad_data.decode.header import MessageHeader, read_header
from conegrad_data.decode.image import image_from_msg, usable_image
from conegrad_data.decode.points import PointCloud, points_from_msg
from conegrad_data.decode.reasons import alarms_from_msg, reasons_from_msg
from conegrad_data.decode.results import (
    check_detections,
    check_segmentation,
    detections_from_msg,
    segmentation_from_msg,
)
from conegrad_data.decode.scan import scan_from_msg
from conegrad_data.decode.scan_warnings import scan_warnings

__all__ = [
    "DecodeError",
    "Matrix",
    "MessageHeader",
    "PointCloud",
    "alarms_from_msg",
    "camera_model_from_msg",
    "check_detections",
    "check_segmentation",
    "check_within",
    "cones_from_msg",
    "detections_from_msg",
    "from_content",
    "image_from_msg",
    "matrix_from_transform",
    "points_from_msg",
    "pose_from_msg",
    "pose_matrix_from_msg",
    "read_header",
    "reasons_from_msg",
    "scan_from_msg",
    "scan_warnings",
    "segmentation_from_msg",
    "speed_from_msg",
    "stamp_ns_from_msg",
    "truth_from_msg",
    "unit_quaternion",
    "usable_image",
]
