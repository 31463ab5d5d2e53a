"""Planar scans to the core's container."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.scan_turns import MOST_TURNS
from conegrad_data.decode.beam_times import scan_times
from conegrad_data.decode.errors import DecodeError, check_within, from_content

TURN = 2 * math.pi  # [rad]
MAX_SPAN = TURN * 1.02  # [rad], one turn, and room for sensors that repeat some beams
MAX_ANGLE = 4 * math.pi  # [rad], of the first beam, whatever turn a sensor counts from
# [rad], finer than any scanner; it bounds the beams of a turn, and so memory, and keeps the angles
# of neighbouring beams apart in single precision.
MIN_INCREMENT = 1e-4
MAX_BEAMS_OFF = 1.5  # a driver may count the last beam or not, and angles are rounded
NO_RETURN_SHARE = 1 - 1e-4  # of range_max; from here a reading is the driver's "no return"


@from_content
def scan_from_msg(msg: Any) -> Scan:
    """Scan of a sensor_msgs/LaserScan, beams counter-clockwise.

    Readings that are not finite, not positive, below range_min, or at range_max or above it
    become NaN: many drivers report range_max where nothing came back. The stamp is that of the
    first beam in the message, as sensor_msgs defines it. A scan that was made of a cloud and sent
    on has its height profile as intensities, channel by channel.

    Raises:
        DecodeError: if there are fewer than two beams, the angles mean nothing, or the number of
            beams does not fit them.
    """
    profile = _profile(msg)
    check_angles(msg, len(msg.ranges), turns=1 if profile is None else MOST_TURNS)
    ranges = np.array(msg.ranges, dtype=np.float32)
    if len(ranges) < 2:
        raise DecodeError(f"ranges has {len(ranges)} values, expected 2 or more")
    _check_count(msg, len(ranges))
    if not msg.range_max > max(msg.range_min, 0.0):
        raise DecodeError(
            f"range_min is {msg.range_min} and range_max is {msg.range_max}, "
            "expected 0 <= range_min < range_max"
        )
    ranges[~usable_readings(msg, ranges)] = np.nan
    angles = beam_angles(msg.angle_min, msg.angle_increment, len(ranges))
    times = scan_times(msg, len(ranges)).times
    if msg.angle_increment < 0:  # a sensor mounted upside down counts clockwise
        ranges, angles = ranges[::-1].copy(), angles[::-1].copy()
        times = None if times is None else times[::-1].copy()
        profile = None if profile is None else profile.flip(1)
    return Scan(
        torch.from_numpy(ranges),
        torch.from_numpy(angles),
        None if times is None else torch.from_numpy(times).float(),
        profile=profile,
    )


def _profile(msg: Any) -> Tensor | None:
    """``(PROFILE_CHANNELS, B)`` of a scan made of a cloud; sensors give an intensity per beam."""
    beams, intensities = len(msg.ranges), getattr(msg, "intensities", ())
    if beams == 0 or len(intensities) != PROFILE_CHANNELS * beams:
        return None
    values = np.array(intensities, dtype=np.float32)
    return torch.from_numpy(values.reshape(PROFILE_CHANNELS, beams))


def usable_readings(msg: Any, ranges: np.ndarray) -> np.ndarray:
    """``(B,)`` mask of the readings that are a distance to something."""
    with np.errstate(invalid="ignore"):
        usable: np.ndarray = (ranges > 0) & (ranges >= msg.range_min)
        usable &= ranges < msg.range_max * NO_RETURN_SHARE
    usable &= np.isfinite(ranges)
    return usable


def check_angles(msg: Any, beams: int, *, turns: int = 1) -> None:
    """Refuse angle_min and angle_increment that give no beam directions.

    Args:
        msg: has both.
        beams: number of them.
        turns: that the beams may cover; more than one in what is made of a cloud.

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
    if span > MAX_SPAN * turns:
        most = "one turn" if turns == 1 else f"{turns} turns"
        raise DecodeError(
            f"angle_increment is {msg.angle_increment:.6g} for {beams} beams, a view of "
            f"{span:.1f} rad, expected at most {most}: are these degrees?"
        )


def is_angle_max_unset(msg: Any, beams: int) -> bool:
    """Whether angle_max is NaN, infinite, or a 0 that does not fit: no driver has set it."""
    if not math.isfinite(msg.angle_max):
        return True
    return bool(msg.angle_max == 0.0) and _beams_off(msg, beams) > MAX_BEAMS_OFF


def _check_count(msg: Any, beams: int) -> None:
    """Refuse angles of which one must be wrong: where the beams point cannot be known."""
    if is_angle_max_unset(msg, beams) or _beams_off(msg, beams) <= MAX_BEAMS_OFF:
        return
    angles = (
        f"angle_min {msg.angle_min:.6g}, angle_max {msg.angle_max:.6g} and "
        f"angle_increment {msg.angle_increment:.6g}"
    )
    expected = (msg.angle_max - msg.angle_min) / msg.angle_increment + 1
    if expected < 0:
        raise DecodeError(
            f"{angles} contradict each other: the increment leads away from angle_max; "
            "mend the sign in the driver"
        )
    raise DecodeError(
        f"ranges has {beams} beams, but {angles} make {expected:.0f}: where the beams point is "
        "not known; mend the angles where the scan was cropped or thinned"
    )


def _beams_off(msg: Any, beams: int) -> float:
    """Difference between the number of beams and what the angles make."""
    increment = float(msg.angle_increment)
    expected = (float(msg.angle_max) - float(msg.angle_min)) / increment + 1
    # A view across the rear may end at an angle that started anew.
    return min(abs(beams - expected), abs(beams - expected - TURN / abs(increment)))


def beam_angles(angle_min: float, angle_increment: float, beams: int) -> np.ndarray:
    """``(beams,)`` float32 angles [rad], computed in float64."""
    return (angle_min + angle_increment * np.arange(beams)).astype(np.float32)
