"""What the model nodes publish, back to the core's containers."""

from typing import Any

import numpy as np
import torch

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_nodes.decode.errors import DecodeError
from conegrad_nodes.decode.scan import beam_angles, check_angles


def detections_from_msg(msg: Any) -> Detections:
    """Detections of a conegrad_msgs/ConeDetectionArray; classes are taken by name.

    Raises:
        DecodeError: if the classes are others, or a detection has another number of logits.
    """
    order = _class_order(msg.class_names)
    rows = msg.detections
    boxes = np.array(
        [(d.center_u, d.center_v, d.width, d.height) for d in rows], dtype=np.float64
    ).reshape(-1, 4)
    counts = {len(d.class_logits) for d in rows}
    if counts - {len(order)}:
        raise DecodeError(f"class_logits has {counts} values, expected {len(order)}")
    logits = np.array([d.class_logits for d in rows], dtype=np.float32).reshape(-1, len(order))
    half = boxes[:, 2:] / 2
    corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1).astype(np.float32)
    found = Detections(torch.from_numpy(corners), torch.from_numpy(logits[:, order]))
    check_detections(found)
    return found


def check_detections(detections: Detections) -> None:
    """Refuse what would spread to every cone.

    Raises:
        DecodeError: if a box or a logit is not finite.
    """
    if not all(bool(values.isfinite().all()) for values in detections):
        raise DecodeError("a box or a logit is not finite, expected finite values")


def check_segmentation(segmented: SegmentedScan) -> None:
    """Refuse what would spread to every cone.

    Raises:
        DecodeError: if a logit is not finite.
    """
    if not bool(segmented.logits.isfinite().all()):
        raise DecodeError("a logit is not finite, expected finite values")


def _class_order(names: Any) -> list[int]:
    found = list(names)
    if sorted(found) != sorted(CLASS_NAMES):
        raise DecodeError(f"class_names is {found}, expected {list(CLASS_NAMES)} in any order")
    return [found.index(name) for name in CLASS_NAMES]


def segmentation_from_msg(msg: Any) -> SegmentedScan:
    """Segmented scan of a conegrad_msgs/ScanSegmentation.

    Raises:
        DecodeError: if ranges and logits differ in length, or angles or logits mean nothing.
    """
    check_angles(msg, len(msg.ranges))
    ranges = np.array(msg.ranges, dtype=np.float32)
    logits = np.array(msg.logits, dtype=np.float32)
    if len(ranges) != len(logits) or len(ranges) < 2:
        raise DecodeError(
            f"ranges has {len(ranges)} and logits {len(logits)} values, "
            "expected as many of both, 2 or more"
        )
    ranges[~np.isfinite(ranges)] = np.nan
    angles = beam_angles(msg.angle_min, msg.angle_increment, len(ranges))
    segmented = SegmentedScan(*map(torch.from_numpy, (ranges, angles, logits)))
    check_segmentation(segmented)
    return segmented
