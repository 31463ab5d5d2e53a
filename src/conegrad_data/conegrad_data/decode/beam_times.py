"""When the beams of a scan and the points of a cloud were measured."""

import math
from typing import Any, NamedTuple

import numpy as np

# Fields in which drivers put the time of a point: Ouster t, Velodyne time, Hesai, RoboSense and
# Livox timestamp, Livox offset_time, others the rest.
TIME_FIELDS = (
    "t",
    "time",
    "timestamp",
    "time_stamp",
    "offset_time",
    "time_offset",
    "time_offset_ns",
    "point_time_offset",
)
UNITS_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
SHORTEST, LONGEST = 0.002, 0.5  # [s], of a scan: no two units give a duration between
MAX_OFFSET = 1.0  # [s] between the first point and the stamp on one clock
NOT_COMPENSATED = "motion within the scan is not compensated"
SCAN_TIME_ROOM = 1.5  # longest scan relative to scan_time, which is the time between two scans


class BeamTimes(NamedTuple):
    """What a message says about the times of its beams or points.

    Attributes:
        times: ``(N,)`` float64 after the stamp [s]; None where it says nothing, or nothing that
            can be true.
        warning: what is wrong with them, or empty.
        is_anchored: False where only their differences hold: their clock is not that of the stamp.
    """

    times: np.ndarray | None
    warning: str = ""
    is_anchored: bool = True


def scan_times(msg: Any, beams: int) -> BeamTimes:
    """Times of the beams of a sensor_msgs/LaserScan, in their order in the message."""
    increment, scan_time = float(msg.time_increment), float(msg.scan_time)
    if increment == 0.0:
        return BeamTimes(None)
    duration = abs(increment) * (beams - 1)
    if not math.isfinite(duration) or duration > LONGEST:
        return _not_used(
            f"time_increment is {increment:g} s, {duration:g} s for {beams} beams, expected at "
            f"most {LONGEST:g} s: is the unit the second?"
        )
    if 0 < scan_time < duration / SCAN_TIME_ROOM:
        return _not_used(
            f"time_increment is {increment:g} s, {duration:g} s for {beams} beams, but scan_time "
            f"is {scan_time:g} s"
        )
    return BeamTimes(increment * np.arange(beams))


def point_times(name: str, values: np.ndarray, stamp_ns: int) -> BeamTimes:
    """Times of the points of a cloud, of a field of any unit, relative to the stamp or absolute.

    The unit is the one in which the points span a possible duration of a scan.

    Args:
        name: of the field.
        values: ``(N,)`` of the field.
        stamp_ns: of the cloud.
    """
    if not len(values):
        return BeamTimes(None)
    if not np.isfinite(values).all():
        return _not_used(f"the field {name} is not finite for all points")
    values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
    first = values.min()
    after = (values - first).astype(np.float64)
    span = float(after.max())
    if span == 0.0:
        return _not_used(f"the field {name} is {first} for all points")
    units = [unit for unit in UNITS_NS.values() if SHORTEST <= span * unit / 1e9 <= LONGEST]
    if not units:
        return _not_used(f"the field {name} spans {span:g}, which is a scan in no unit of time")
    first_ns = round(first.item() * units[0])
    offset_ns = min(first_ns, first_ns - stamp_ns, key=abs)
    times = after * (units[0] / 1e9)
    if abs(offset_ns) <= MAX_OFFSET * 1e9:
        return BeamTimes(times + offset_ns / 1e9)
    warning = (
        f"the times of the points ({name}) lie {offset_ns / 1e9:.3f} s from the stamp, of another "
        f"clock: {NOT_COMPENSATED}; set sweep.stamp to first, middle or last"
    )
    return BeamTimes(times, warning, is_anchored=False)


def _not_used(fault: str) -> BeamTimes:
    return BeamTimes(None, f"{fault}: {NOT_COMPENSATED}")
