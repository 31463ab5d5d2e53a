"""Cones, fused or true, from their messages."""

from typing import Any

import numpy as np
import torch

from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones, TrueCones
from conegrad_nodes.decode.errors import DecodeError

# Numbers of conegrad_msgs/Cone, by name; the core counts in another order.
COLOUR_NUMBERS = {"unknown": 0, "blue": 1, "yellow": 2, "small_orange": 3, "big_orange": 4}
CLASS_OF_NUMBER = {number: ConeClass[name.upper()] for name, number in COLOUR_NUMBERS.items()}
NEVER = 1e-7  # nearest probability to 0 and 1 that float32 can tell from them


def cones_from_msg(msg: Any) -> Cones:
    """Cones of a conegrad_msgs/ConeArray; existence becomes log-odds again.

    Raises:
        DecodeError: if a value is not finite.
    """
    rows = msg.cones
    count = len(rows)
    positions = np.array([(c.position.x, c.position.y) for c in rows], dtype=np.float64)
    covariances = np.array([c.covariance for c in rows], dtype=np.float64)
    colours = np.array(
        [[getattr(c, f"probability_{name}") for name in COLOUR_NAMES] for c in rows],
        dtype=np.float64,
    )
    existence = np.array([c.existence for c in rows], dtype=np.float64)
    for name, values in (("position", positions), ("covariance", covariances),
                         ("existence", existence)):  # fmt: skip
        if not np.isfinite(values).all():
            raise DecodeError(f"{name} is not finite, expected finite values")
    existence = existence.clip(NEVER, 1 - NEVER)
    return Cones(
        torch.from_numpy(positions.reshape(count, 2)).float(),
        torch.from_numpy(covariances.reshape(count, 2, 2)).float(),
        torch.from_numpy(colours.reshape(count, 5)).float(),
        torch.from_numpy(np.log(existence) - np.log1p(-existence)).float(),
        torch.tensor([int(c.source) for c in rows], dtype=torch.int64),
    )


def truth_from_msg(msg: Any) -> TrueCones:
    """True cones of a conegrad_msgs/TruthCones.

    Raises:
        DecodeError: if a colour is none of conegrad_msgs/Cone.
    """
    rows = msg.cones
    for cone in rows:
        if cone.colour not in CLASS_OF_NUMBER:
            raise DecodeError(f"colour is {cone.colour}, expected one of {COLOUR_NUMBERS}")
    positions = torch.tensor([(c.position.x, c.position.y) for c in rows], dtype=torch.float32)
    return TrueCones(
        positions.reshape(len(rows), 2),
        torch.tensor([int(CLASS_OF_NUMBER[int(c.colour)]) for c in rows], dtype=torch.int64),
        torch.tensor([bool(c.visible_camera) for c in rows], dtype=torch.bool),
        torch.tensor([bool(c.visible_lidar) for c in rows], dtype=torch.bool),
    )
