"""Solids and shells of constant density: their mass, centre and inertia."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Solid(NamedTuple):
    """Mass and principal moments of a body whose principal axes are parallel to its frame.

    Attributes:
        mass: [kg].
        centre: of mass in the frame of the body [m].
        moments: about the axes x, y and z through the centre [kg m^2].
    """

    mass: float
    centre: tuple[float, float, float]
    moments: tuple[float, float, float]


def box(mass: float, size: tuple[float, float, float], centre: tuple[float, float, float]) -> Solid:
    """Block with a mass [kg], edges ``size`` along x, y and z [m] and its centre [m]."""
    x, y, z = (edge**2 for edge in size)
    return Solid(mass, centre, (mass * (y + z) / 12, mass * (x + z) / 12, mass * (x + y) / 12))


def wheel(mass: float, radius: float, width: float) -> Solid:
    """Solid cylinder about the y axis, with mass [kg], radius and width [m]."""
    across = mass * (3 * radius**2 + width**2) / 12
    return Solid(mass, (0.0, 0.0, 0.0), (across, mass * radius**2 / 2, across))


def shell(mass: float, bottom: float, top: float, height: float) -> Solid:
    """The thin lateral surface of a cone about the z axis, cut off at ``height``.

    Args:
        mass: [kg].
        bottom: radius at z = 0 [m].
        top: radius at ``height`` [m].
        height: [m].

    Source:
        Integrals over rings of radius ``r(z) = bottom + (top - bottom) z / height``.
    """
    # Means over the height of r and r^3, and of z r and z^2 r, with z as a share.
    slope = top - bottom
    length = bottom + slope / 2
    first = bottom / 2 + slope / 3
    second = bottom / 3 + slope / 4
    third = sum(bottom ** (3 - k) * slope**k * math.comb(3, k) / (k + 1) for k in range(4))
    centre = height * first / length
    about_axis = mass * third / length
    across = about_axis / 2 + mass * (height**2 * second / length - centre**2)
    return Solid(mass, (0.0, 0.0, centre), (across, across, about_axis))


def joined(solids: Sequence[Solid]) -> Solid:
    """One body of several whose centres lie on one line parallel to an axis of the frame.

    Raises:
        ValueError: if the centres do not, so that the principal axes would turn.
    """
    mass = sum(solid.mass for solid in solids)
    x, y, z = (sum(s.mass * s.centre[axis] for s in solids) / mass for axis in range(3))
    centre = (x, y, z)
    moments = [0.0, 0.0, 0.0]
    for solid in solids:
        offset = [solid.centre[axis] - centre[axis] for axis in range(3)]
        if sum(abs(value) > 1e-9 for value in offset) > 1:
            raise ValueError(f"centres differ by {offset} m, expected a difference along one axis")
        for axis in range(3):
            away = sum(offset[other] ** 2 for other in range(3) if other != axis)
            moments[axis] += solid.moments[axis] + solid.mass * away
    return Solid(mass, centre, (moments[0], moments[1], moments[2]))
