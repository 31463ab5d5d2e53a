"""Planar scans that are used, but of which something is probably wrong."""

from typing import Any

import numpy as np

from conegrad_data.decode.beam_times import scan_times
from conegrad_data.decode.errors import from_content
from conegrad_data.decode.scan import is_angle_max_unset, usable_readings

EQUAL_SHARE = 0.1  # of the beams; so many do not measure exactly the same distance by chance
EQUAL_COUNT = 20  # beams, likewise
DIFFERENT = 3  # readings beyond range_max that differ do not mark "no return"


@from_content
def scan_warnings(msg: Any) -> list[str]:
    """What is probably wrong with a sensor_msgs/LaserScan that :func:`scan_from_msg` takes.

    Raises:
        DecodeError: if the content is none of a scan.
    """
    ranges = np.asarray(msg.ranges, dtype=np.float32)
    usable = usable_readings(msg, ranges)
    warnings = [
        _angle_max_warning(msg, len(ranges)),
        _limits_warning(msg, ranges, usable),
        _repeated_warning(msg, ranges[usable], len(ranges)),
        scan_times(msg, len(ranges)).warning,
    ]
    return [warning for warning in warnings if warning]


def _angle_max_warning(msg: Any, beams: int) -> str:
    if not is_angle_max_unset(msg, beams):
        return ""
    return (
        f"angle_max is {msg.angle_max} and counts as not set: the view of the {beams} beams is "
        "that of angle_min and angle_increment"
    )


def _limits_warning(msg: Any, ranges: np.ndarray, usable: np.ndarray) -> str:
    """Readings that all lie outside the limits; a view without any return has none."""
    if usable.any():
        return ""
    with np.errstate(invalid="ignore"):
        readings = ranges[np.isfinite(ranges) & (ranges > 0)]
    below, beyond = readings[readings < msg.range_min], readings[readings > 1.01 * msg.range_max]
    if len(below) and len(below) == len(readings):
        side, limit = f"below range_min, {msg.range_min:g} m", f"at most {below.max():g} m"
    elif len(np.unique(beyond)) >= DIFFERENT:
        side, limit = f"above range_max, {msg.range_max:g} m", f"up to {beyond.max():g} m"
    else:
        return ""
    return f"all readings are {side}, {limit}: is the unit of both the metre?"


def _repeated_warning(msg: Any, readings: np.ndarray, beams: int) -> str:
    """The largest reading of many beams: some driver's mark of "no return" below range_max."""
    if not len(readings):
        return ""
    largest = readings.max()
    count = int((readings == largest).sum())
    if count < max(EQUAL_COUNT, EQUAL_SHARE * beams):
        return ""
    return (
        f"{count} of {beams} beams read {largest:g} m, the largest reading, with range_max "
        f"{msg.range_max:g} m: if that means no return, set range_max to it in the driver"
    )
