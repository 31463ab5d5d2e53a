"""Gradients of ports and training inputs to messages, and back."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from conegrad_msgs.msg import PortGradient
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header
from torch import Tensor

from conegrad_core.lidar.scan import Scan
from conegrad_data.decode import DecodeError


def gradient_topic(port: str) -> str:
    """Relative name of the topic of the gradients of a port."""
    return f"{port}/gradients"


def gradient_to_msg(
    port: str, gradients: Sequence[Tensor], header: Header, step: int, parts: int
) -> PortGradient:
    """conegrad_msgs/PortGradient of the gradient of each differentiable tensor of a port."""
    data = torch.cat([gradient.detach().cpu().float().flatten() for gradient in gradients])
    return PortGradient(
        header=header,
        port=port,
        step=step,
        parts=parts,
        sizes=[gradient.numel() for gradient in gradients],
        data=_floats(data),
    )


def gradients_from_msg(msg: Any) -> tuple[Tensor, ...]:
    """Flat gradients of the tensors of a port.

    Raises:
        DecodeError: if the sizes do not fit to the data.
    """
    data = torch.from_numpy(np.array(msg.data, dtype=np.float32))
    sizes = [int(size) for size in msg.sizes]
    if sum(sizes) != len(data):
        raise DecodeError(
            f"the gradient of {msg.port} has {len(data)} values, expected those of sizes {sizes}"
        )
    return tuple(torch.split(data, sizes))


def scan_to_msg(scan: Scan, header: Header) -> LaserScan:
    """sensor_msgs/LaserScan; ranges, first and last angle arrive bit for bit.

    The profile of a scan that was made of a cloud goes as intensities, channel by channel.
    """
    first, last = np.float32(scan.angles[0]), np.float32(scan.angles[-1])
    return LaserScan(
        header=header,
        angle_min=float(first),
        angle_max=float(last),
        angle_increment=_increment(first, last, len(scan.angles) - 1),
        range_min=0.0,
        range_max=float("inf"),
        ranges=_floats(scan.ranges),
        intensities=[] if scan.profile is None else _floats(scan.profile.flatten()),
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
