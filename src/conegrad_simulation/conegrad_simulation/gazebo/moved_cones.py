"""Poses of cones from the message of Gazebo's pose publisher."""

import math
import re
from typing import Any, NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.transforms import rotation_from_quaternion
from conegrad_data.decode import DecodeError, check_within, from_content, unit_quaternion

MAX_DISTANCE = 1e5  # [m] along an axis of the map
CONE = re.compile(r"(?:^|/|::)cone_(\d+)$")  # as cone_places.cone_name, in any scope


class MovedCone(NamedTuple):
    """Where a cone is.

    Attributes:
        row: of the scene.
        position: of its foot in the map [m].
        rotation: ``(3, 3)``, map from cone.
    """

    row: int
    position: tuple[float, float]
    rotation: Tensor


@from_content
def moved_cones_from_msg(msg: Any) -> list[MovedCone]:
    """Cones of a tf2_msgs/TFMessage; other frames in it are skipped.

    Raises:
        DecodeError: if a position is not finite or too far away, or a rotation is not a unit
            quaternion.
    """
    named = [(CONE.search(transform.child_frame_id), transform) for transform in msg.transforms]
    return [_moved_cone(int(found[1]), transform) for found, transform in named if found]


def _moved_cone(row: int, transform: Any) -> MovedCone:
    name, place = transform.child_frame_id, transform.transform.translation
    if not (math.isfinite(place.x) and math.isfinite(place.y)):
        raise DecodeError(f"{name} is at {(place.x, place.y)}, expected finite values")
    check_within(f"x of {name}", place.x, MAX_DISTANCE, " m")
    check_within(f"y of {name}", place.y, MAX_DISTANCE, " m")
    quaternion = unit_quaternion(f"rotation of {name}", transform.transform.rotation)
    rotation = rotation_from_quaternion(torch.tensor(quaternion, dtype=torch.float64))
    return MovedCone(row, (place.x, place.y), rotation)
