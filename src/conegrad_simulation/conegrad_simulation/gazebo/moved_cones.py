"""Poses of cones from the message of Gazebo's pose publisher."""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.transforms import rotation_from_quaternion
from conegrad_nodes.decode import DecodeError

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


def moved_cones_from_msg(msg: Any) -> Iterator[MovedCone]:
    """Cones of a tf2_msgs/TFMessage; other frames in it are skipped.

    Raises:
        DecodeError: if a pose is not finite.
    """
    for transform in msg.transforms:
        named = CONE.search(transform.child_frame_id)
        if named is None:
            continue
        place, q = transform.transform.translation, transform.transform.rotation
        values = (place.x, place.y, q.x, q.y, q.z, q.w)
        if not all(map(math.isfinite, values)):
            raise DecodeError(f"{transform.child_frame_id} is at {values}, expected finite values")
        rotation = rotation_from_quaternion(torch.tensor(values[2:], dtype=torch.float64))
        yield MovedCone(int(named[1]), (place.x, place.y), rotation)
