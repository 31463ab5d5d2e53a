"""What the model nodes publish, back to the core's containers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.lidar.scan_turns import MOST_TURNS
from conegrad_data.decode.errors import DecodeError, from_content
from conegrad_data.decode.scan import beam_angles, check_angles

MAX_TIME = 1.0  # [s] from the stamp; no scan takes longer
MAX_LOGIT = 1e4  # log-odds beyond it say nothing more, and would swallow others in a sum
MAX_PIXEL = 1e6  # [px], of corners of boxes, which may reach beyond the image
MAX_DETECTIONS = 1000  # as the detector's parameter clusters; all are compared with all


@from_content
def detections_from_msg(msg: Any) -> Detections:
    """Detections of a conegrad_msgs/ConeDetectionArray; classes are taken by name.

    Raises:
        DecodeError: if the classes are others, there are too many detections, one has another
            number of logits, or :func:`check_detections` refuses them.
    """
    order = _class_order(msg.class_names)
    rows = msg.detections
    if len(rows) > MAX_DETECTIONS:
        raise DecodeError(f"there are {len(rows)} detections, expected at most {MAX_DETECTIONS}")
    boxes = np.array(
        [(d.center_u, d.center_v, d.width, d.height) for d in rows], dtype=np.float64
    ).reshape(-1, 4)
    counts = {len(d.class_logits) for d in rows}
    if counts - {len(order)}:
        raise DecodeError(f"class_logits has {counts} values, expected {len(order)}")
    logits = np.array([d.class_logits for d in rows], dtype=np.float32).reshape(-1, len(order))
    half = boxes[:, 2:] / 2
    corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    with np.errstate(over="ignore"):
        corners = corners.astype(np.float32)
    found = Detections(torch.from_numpy(corners), torch.from_numpy(logits[:, order]))
    check_detections(found)
    return found


def check_detections(detections: Detections) -> None:
    """Refuse what would spread to every cone.

    Raises:
        DecodeError: if a box or a logit is not finite or beyond all bounds, or a box inside out.
    """
    boxes = detections.boxes_xyxy.detach()
    _check_all_within("a box", boxes, MAX_PIXEL, " px")
    _check_all_within("a logit", detections.logits.detach(), MAX_LOGIT, "")
    sizes = boxes[:, 2:] - boxes[:, :2]
    if bool((sizes < 0).any()):
        raise DecodeError(
            f"a box has a width or height of {float(sizes.min()):g} px, expected 0 or more"
        )


def check_segmentation(segmented: SegmentedScan) -> None:
    """Refuse what would spread to every cone.

    Raises:
        DecodeError: if a logit or a time is not finite or beyond all bounds.
    """
    _check_all_within("a logit", segmented.logits.detach(), MAX_LOGIT, "")
    if segmented.times is not None:
        _check_all_within("a time", segmented.times, MAX_TIME, " s")


def _check_all_within(name: str, values: Tensor, limit: float, unit: str) -> None:
    if not bool(values.isfinite().all()):
        raise DecodeError(f"{name} is not finite, expected finite values")
    if values.numel() and not float(values.abs().max()) <= limit:
        worst = float(values.abs().max())
        raise DecodeError(f"{name} is {worst:g}{unit} from 0, expected at most {limit:g}{unit}")


def _class_order(names: Any) -> list[int]:
    found = list(names)
    if sorted(found) != sorted(CLASS_NAMES):
        raise DecodeError(f"class_names is {found}, expected {list(CLASS_NAMES)} in any order")
    return [found.index(name) for name in CLASS_NAMES]


@from_content
def segmentation_from_msg(msg: Any) -> SegmentedScan:
    """Segmented scan of a conegrad_msgs/ScanSegmentation.

    Raises:
        DecodeError: if ranges and logits differ in length, or angles or logits mean nothing.
    """
    check_angles(msg, len(msg.ranges), turns=MOST_TURNS)
    ranges = np.array(msg.ranges, dtype=np.float32)
    logits = np.array(msg.logits, dtype=np.float32)
    if len(ranges) != len(logits) or len(ranges) < 2:
        raise DecodeError(
            f"ranges has {len(ranges)} and logits {len(logits)} values, "
            "expected as many of both, 2 or more"
        )
    with np.errstate(invalid="ignore"):
        ranges[~(np.isfinite(ranges) & (ranges > 0))] = np.nan
    angles = beam_angles(msg.angle_min, msg.angle_increment, len(ranges))
    segmented = SegmentedScan(
        torch.from_numpy(ranges),
        torch.from_numpy(angles),
        torch.from_numpy(logits),
        _times(msg, len(ranges)),
    )
    check_segmentation(segmented)
    return segmented


def _times(msg: Any, beams: int) -> Tensor | None:
    """Times of the beams; recordings made before the message had them have none."""
    times = np.array(getattr(msg, "times", ()), dtype=np.float32)
    if not len(times):
        return None
    if len(times) != beams:
        raise DecodeError(f"times has {len(times)} values, expected {beams} or none")
    return torch.from_numpy(times)
