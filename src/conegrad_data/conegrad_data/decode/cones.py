"""Cones, fused or true, from their messages."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones, TrueCones
from conegrad_data.decode.errors import DecodeError, from_content

# Numbers of conegrad_msgs/Cone, by name; the core counts in another order.
COLOUR_NUMBERS = {"unknown": 0, "blue": 1, "yellow": 2, "small_orange": 3, "big_orange": 4}
CLASS_OF_NUMBER = {number: ConeClass[name.upper()] for name, number in COLOUR_NUMBERS.items()}
MAX_CONES = 1000  # all are compared with all
MAX_DISTANCE = 1e5  # [m] along an axis, from the origin of the frame
MAX_EVIDENCE = 1e6  # [nat], for or against a cone
ROUNDING = 1e-3
NEVER = 1e-7  # nearest probability to 0 and 1 that float32 can tell from them


@from_content
def cones_from_msg(msg: Any) -> Cones:
    """Cones of a conegrad_msgs/ConeArray; existence becomes log-odds again.

    Provenance and identities are None where the message does not state them, as in recordings made
    before the fields existed.

    Raises:
        DecodeError: if there are too many cones, or one has a value that no cone can have.
    """
    rows = msg.cones
    count = len(rows)
    if count > MAX_CONES:
        raise DecodeError(f"there are {count} cones, expected at most {MAX_CONES}")
    positions = np.array([(c.position.x, c.position.y) for c in rows], dtype=np.float64)
    covariances = np.array([c.covariance for c in rows], dtype=np.float64).reshape(count, 4)
    colours = np.array(
        [[getattr(c, f"probability_{name}") for name in COLOUR_NAMES] for c in rows],
        dtype=np.float64,
    )
    existence = np.array([c.existence for c in rows], dtype=np.float64)
    _check_range("position", positions, -MAX_DISTANCE, MAX_DISTANCE)
    _check_range("covariance", covariances, -(MAX_DISTANCE**2), MAX_DISTANCE**2)
    _check_range("colour probability", colours, -ROUNDING, 1 + ROUNDING)
    _check_range("existence", existence, -ROUNDING, 1 + ROUNDING)
    _check_definite(covariances)
    existence = existence.clip(NEVER, 1 - NEVER)
    return Cones(
        torch.from_numpy(positions.reshape(count, 2)).float(),
        torch.from_numpy(covariances.reshape(count, 2, 2)).float(),
        torch.from_numpy(colours.reshape(count, 5)).float(),
        torch.from_numpy(np.log(existence) - np.log1p(-existence)).float(),
        torch.tensor([int(c.source) for c in rows], dtype=torch.int64),
        _stated(rows, "lidar_evidence", -MAX_EVIDENCE, MAX_EVIDENCE),
        _stated(rows, "lidar_share", -ROUNDING, 1 + ROUNDING),
        _ids(rows),
    )


def _stated(rows: Sequence[Any], field: str, low: float, high: float) -> Tensor | None:
    """``(M,)`` of a field that was added in 0.3; None where a cone lacks it, or has NaN."""
    values = np.array([getattr(cone, field, math.nan) for cone in rows], dtype=np.float64)
    if not len(values) or np.isnan(values).any():
        return None
    _check_range(field, values, low, high)
    return torch.from_numpy(values).float()


def _ids(rows: Sequence[Any]) -> Tensor | None:
    """``(M,)`` identities; None where the cones were not tracked."""
    ids = [int(getattr(cone, "id", 0)) for cone in rows]
    return torch.tensor(ids, dtype=torch.int64) if any(ids) else None


def _check_range(name: str, values: np.ndarray, low: float, high: float) -> None:
    bad = values[~((values >= low) & (values <= high))]  # NaN is among them
    if bad.size:
        raise DecodeError(f"a {name} is {bad[0]:g}, expected {low:g} to {high:g}")


def _check_definite(covariances: np.ndarray) -> None:
    """Refuse ``(N, 4)`` rows that are not covariances: they have no inverse."""
    xx, xy, yx, yy = covariances.T
    is_symmetric = np.abs(xy - yx) <= ROUNDING * (np.abs(xx) + np.abs(yy))
    bad = covariances[~((xx > 0) & (yy > 0) & (xx * yy - xy * yx > 0) & is_symmetric)]
    if len(bad):
        raise DecodeError(
            f"a covariance is {bad[0].tolist()}, expected a symmetric positive definite matrix"
        )


@from_content
def truth_from_msg(msg: Any) -> TrueCones:
    """True cones of a conegrad_msgs/TruthCones.

    Raises:
        DecodeError: if a colour is none of conegrad_msgs/Cone, or a deviation is none.
    """
    rows = msg.cones
    deviations = [float(getattr(cone, "deviation", 0.0)) for cone in rows]  # absent before 0.3
    for cone in rows:
        if cone.colour not in CLASS_OF_NUMBER:
            raise DecodeError(f"colour is {cone.colour}, expected one of {COLOUR_NUMBERS}")
    if bad := next((value for value in deviations if not 0 <= value < math.inf), None):
        raise DecodeError(f"deviation of true cones is {bad} m, expected 0 or more")
    positions = torch.tensor([(c.position.x, c.position.y) for c in rows], dtype=torch.float32)
    return TrueCones(
        positions.reshape(len(rows), 2),
        torch.tensor([int(CLASS_OF_NUMBER[int(c.colour)]) for c in rows], dtype=torch.int64),
        torch.tensor([bool(c.visible_camera) for c in rows], dtype=torch.bool),
        torch.tensor([bool(c.visible_lidar) for c in rows], dtype=torch.bool),
        torch.tensor(deviations, dtype=torch.float32) if any(deviations) else None,
    )
