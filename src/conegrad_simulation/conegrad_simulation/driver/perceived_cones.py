"""Perceived cones as input of the driver: positions in ``base_link`` and evidence of the side."""

from typing import NamedTuple

import numpy as np

from conegrad_core.cones import ConeClass, Cones
from conegrad_core.vehicle import Mounting
from conegrad_simulation.planar import Floats


class PerceivedCones(NamedTuple):
    """Cones of one message, in ``base_link``.

    Attributes:
        positions: ``(N, 2)`` x forward, y left [track units].
        covariances: ``(N, 2, 2)`` [track units^2].
        colours: ``(N, 3)`` evidence that the cone stands left (blue), right (yellow), or on
            either side (orange); rows sum to at most 1, less for an unknown colour.
    """

    positions: Floats
    covariances: Floats
    colours: Floats


def perceived_cones(cones: Cones, lidar: Mounting | None, scale: float) -> PerceivedCones:
    """Convert the cones of a message.

    Args:
        cones: in the frame of the LiDAR, or in ``base_link`` [m].
        lidar: mounting of the LiDAR; None if the cones are in ``base_link``.
        scale: metres per track unit; a track unit is a metre of a full-size track.
    """
    matrix = np.eye(4) if lidar is None else lidar.base_from_sensor().numpy()
    rotation, offset = matrix[:2, :2], matrix[:2, 3]
    positions = cones.positions.double().numpy() @ rotation.T + offset
    covariances = rotation @ cones.covariances.double().numpy() @ rotation.T
    colours = cones.colours.double().numpy()
    orange = colours[:, ConeClass.SMALL_ORANGE] + colours[:, ConeClass.BIG_ORANGE]
    sides = [colours[:, ConeClass.BLUE], colours[:, ConeClass.YELLOW], orange]
    return PerceivedCones(positions / scale, covariances / scale**2, np.stack(sides, axis=1))
