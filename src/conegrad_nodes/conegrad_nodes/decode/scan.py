"""Planar scans to the core's container."""

import math
from typing import Any

import numpy as np
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_nodes.decode.errors import DecodeError, check_within, from_content

MAX_SPAN = 2 * math.pi * 1.02  # [rad], one turn, and room for sensors that repeat some beams
MAX_ANGLE = 4 * math.pi  # [rad], of the first beam, whatever turn a sensor counts from
# [rad], finer than any scanner; it bounds the beams of a turn, and so memory, and keeps the angles
# of neighbouring beams apart in single precision.
MIN_INCREMENT = 1e-4


@from_content
def scan_from_msg(msg: Any) -> Scan:
    """Scan of a sensor_msgs/LaserScan, beams counter-clockwise.

    Readings that are not finite, not positive or outside [range_min, range_max] become NaN.

    Raises:
        DecodeError: if there are fewer than two beams, or the angles mean nothing.
    """
    check_angles(msg, len(msg.ranges))
    ranges = np.array(msg.ranges, dtype=np.float32)
    if len(ranges) < 2:
        raise DecodeError(f"ranges has {len(ranges)} values, expected 2 or more")
    if not msg.range_max > max(msg.range_min, 0.0):
        raise DecodeError(
            f"range_min is {msg.range_min} and range_max is {msg.range_max}, "
            "expected 0 <= range_min < range_max"
        )
    with np.errstate(invalid="ignore"):
        usable = (ranges > 0) & (ranges >= msg.range_min) & (ranges <= msg.range_max)
    ranges[~usable] = np.nan
    angles = beam_angles(msg.angle_min, msg.angle_increment, len(ranges))
    if msg.angle_increment < 0:  # a sensor mounted upside down counts clockwise
        ranges, angles = ranges[::-1].copy(), angles[::-1].copy()
    return Scan(torch.from_numpy(ranges), torch.from_numpy(angles))


def check_angles(msg: Any, beams: int) -> None:
    """Refuse angle_min and angle_increment that give no beam directions.

    Args:
        msg: has both.
        beams: number of them.

    Raises:
        DecodeError: naming the field.
    """
    check_within("angle_min", msg.angle_min, MAX_ANGLE, " rad")
    increment = msg.angle_increment
    if not (math.isfinite(increment) and abs(increment) >= MIN_INCREMENT):
        raise DecodeError(
            f"angle_increment is {increment}, expected a finite angle of at least "
            f"{MIN_INCREMENT:g} rad"
        )
    span = abs(msg.angle_increment) * (beams - 1)
    if span > MAX_SPAN:
        raise DecodeError(
            f"angle_increment is {msg.angle_increment:.6g} for {beams} beams, a view of "
            f"{span:.1f} rad, expected at most one turn: are these degrees?"
        )


def beam_angles(angle_min: float, angle_increment: float, beams: int) -> np.ndarray:
    """``(beams,)`` float32 angles [rad], computed in float64."""
    return (angle_min + angle_increment * np.arange(beams)).astype(np.float32)
