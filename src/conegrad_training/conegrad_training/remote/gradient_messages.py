"""Gradients and training inputs to messages, and back."""

from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from conegrad_msgs.msg import DetectionGradient, SegmentationGradient
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header
from torch import Tensor

from conegrad_core.camera.image import Detections
from conegrad_core.lidar.scan import Scan
from conegrad_training.systems.system import CAMERA, LIDAR


def detection_gradient_to_msg(
    gradient: Detections, header: Header, step: int, parts: int
) -> DetectionGradient:
    """conegrad_msgs/DetectionGradient of the gradients of boxes and logits."""
    boxes, logits = _floats(gradient.boxes_xyxy), _floats(gradient.logits)
    return DetectionGradient(header=header, step=step, parts=parts, boxes=boxes, logits=logits)


def detection_gradient_from_msg(msg: Any) -> tuple[Tensor, Tensor]:
    """Flat gradients of boxes and logits."""
    return _tensor(msg.boxes), _tensor(msg.logits)


def segmentation_gradient_to_msg(
    gradient: Tensor, header: Header, step: int, parts: int
) -> SegmentationGradient:
    """conegrad_msgs/SegmentationGradient of the gradient ``(B,)`` of the logits."""
    return SegmentationGradient(header=header, step=step, parts=parts, logits=_floats(gradient))


def segmentation_gradient_from_msg(msg: Any) -> tuple[Tensor]:
    """Gradient of the logits."""
    return (_tensor(msg.logits),)


class GradientTopic(NamedTuple):
    """How the gradients of a model travel.

    Attributes:
        part: the model's name in the system.
        msgtype: of the messages.
        name: of the topic.
        decode: message to flat gradients, one per output of the model.
    """

    part: str
    msgtype: Any
    name: str
    decode: Callable[[Any], tuple[Tensor, ...]]


DETECTION_GRADIENTS = GradientTopic(
    CAMERA, DetectionGradient, "detection_gradients", detection_gradient_from_msg
)
SEGMENTATION_GRADIENTS = GradientTopic(
    LIDAR, SegmentationGradient, "segmentation_gradients", segmentation_gradient_from_msg
)


def scan_to_msg(scan: Scan, header: Header) -> LaserScan:
    """sensor_msgs/LaserScan; ranges, first and last angle arrive bit for bit."""
    first, last = np.float32(scan.angles[0]), np.float32(scan.angles[-1])
    return LaserScan(
        header=header,
        angle_min=float(first),
        angle_max=float(last),
        angle_increment=_increment(first, last, len(scan.angles) - 1),
        range_min=0.0,
        range_max=float("inf"),
        ranges=_floats(scan.ranges),
    )


def _increment(first: np.float32, last: np.float32, steps: int) -> float:
    """The float32 that leads from the first angle to the last as nearly as any."""
    near = np.float32((float(last) - float(first)) / steps)
    choices = [np.nextafter(near, np.float32(way)) for way in (-np.inf, np.inf)]
    errors = {float(c): abs(float(first) + float(c) * steps - float(last)) for c in choices}
    errors[float(near)] = abs(float(first) + float(near) * steps - float(last))
    return min(errors, key=lambda choice: errors[choice])


def _floats(values: Tensor) -> "array[float]":
    return array("f", values.detach().cpu().float().contiguous().numpy().tobytes())


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))
