"""Puts the beams of a scan that a person wrote into a table at even angles."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.types import BagError

Array = npt.NDArray[np.float64]

EVEN_STEP = 1e-3  # [rad], how far beams may be from even spacing
FULL_TURN = 2 * np.pi + 0.01  # [rad]
MAX_BEAMS = 100_000  # of a scan: more come from angles that nearly repeat
NEAREST = 0.75  # of a step: a beam farther away says nothing about an angle


def check_angles(path: Path, first: float, increment: float, beams: int) -> None:
    """Refuse angles that cannot be radians.

    Raises:
        BagError: naming the file, and the angle that its beams span.
    """
    span = abs(increment) * (beams - 1)
    if not np.isfinite([first, increment]).all() or span > FULL_TURN:
        raise BagError(
            f"{path}: {beams} beams span {span:.5g} from {first:.5g} on, expected at most a turn "
            f"(6.283) in radians{_degrees(span)}"
        )


def _degrees(span: float) -> str:
    return f"; as degrees that would be {np.radians(span):.4g} rad" if span <= 361 else ""


class EvenBeams(NamedTuple):
    """Beams at even angles.

    Attributes:
        ranges: ``(beams,)`` [m], NaN where there is none.
        first: angle of the first beam [rad].
        step: to the next [rad].
        note: what was done to the beams; empty if nothing.
    """

    ranges: Array
    first: float
    step: float
    note: str = ""


def even_beams(path: Path, angles: Array, ranges: Array) -> EvenBeams:
    """Beams of a table at even angles.

    Beams that are not evenly spaced are put on a grid of their usual step: each angle takes the
    nearest beam, and none where there is none. Nothing is interpolated: between a cone and what is
    behind it there is no range.

    Raises:
        BagError: if the angles are in degrees, or turn back.
    """
    check_angles(path, angles[0], float(np.ptp(angles)) / (len(angles) - 1), len(angles))
    step = (angles[-1] - angles[0]) / (len(angles) - 1)
    if np.abs(angles - angles[0] - step * np.arange(len(angles))).max() <= EVEN_STEP:
        return EvenBeams(ranges, float(angles[0]), float(step))
    return _resampled(path, np.unwrap(angles), ranges)


def _resampled(path: Path, angles: Array, ranges: Array) -> EvenBeams:
    steps = np.diff(angles)
    direction = np.sign(steps[0])
    if (steps * direction <= 0).any():
        raise BagError(f"{path}: the angles come twice or turn back, expected one direction")
    # The lower median: where beams without a return are missing, most steps are whole.
    step = float(np.percentile(np.abs(steps), 50, method="lower"))
    beams = round(abs(angles[-1] - angles[0]) / step) + 1
    if beams > MAX_BEAMS:
        raise BagError(f"{path}: the usual step is {step:.3g} rad, expected one of a LiDAR")
    check_angles(path, angles[0], step, beams)
    grid = angles[0] + direction * step * np.arange(beams)
    nearest = _nearest(direction * angles, direction * grid)
    is_near = np.abs(grid - angles[nearest]) <= NEAREST * step
    note = (
        f"{path}: its {len(angles)} beams are {np.abs(steps).min():.5f} to "
        f"{np.abs(steps).max():.5f} rad apart; resampled to {beams} angles {step:.5f} rad "
        f"apart, {int((~is_near).sum())} of them without a beam, and "
        f"{len(angles) - len(np.unique(nearest[is_near]))} beams are left out"
    )
    even = np.where(is_near, ranges[nearest], np.nan)
    return EvenBeams(even, float(angles[0]), float(direction * step), note)


def _nearest(angles: Array, grid: Array) -> npt.NDArray[np.int64]:
    """Place of the angle that is nearest to each of the grid; both rise."""
    after = np.clip(np.searchsorted(angles, grid), 1, len(angles) - 1)
    return np.where(grid - angles[after - 1] <= angles[after] - grid, after - 1, after)
