"""Cones of exactly the dimensions in the rules, with the stripes and paint of the renderer."""

from typing import NamedTuple

import numpy as np

from conegrad_core.cones import CLASS_NAMES, ConeClass
from conegrad_simulation.gazebo.solids import Solid, box, joined, shell
from conegrad_simulation.render.cone_mesh import (
    BLACK,
    ONE_STRIPE_BANDS,
    PAINTS,
    PLATE_THICKNESS,
    TWO_STRIPE_BANDS,
    TWO_STRIPES,
    WHITE,
)
from conegrad_simulation.scene.scene import standard_scene

# Levels of the rings of a cone with one stripe, the mean of manufacturers.
ONE_STRIPE = (0.0, 0.18, 0.42, 0.555, 0.69, 0.82, 0.95, 1.0)
MASSES = (0.45, 0.45, 0.45, 1.05)  # [kg], by class; the rules do not define them
# Of the mass is in the plate: its share of the area (0.18 for small cones, 0.15 for big ones) of a
# sheet of one thickness, and feet. That puts the centre at a third of the height.
PLATE_SHARE = 0.2

Colour = tuple[float, float, float]  # red, green, blue in [0, 1]


class ConeShape(NamedTuple):
    """A cone on a square plate, standing on z = 0; lengths in metres.

    Attributes:
        name: of its class.
        height: of the whole.
        side: of the plate; ``thickness`` its height.
        thickness: of the plate.
        bottom: radius of the body at the ground.
        top: radius of the body at its top, linear in between.
        levels: heights of the rings at which the paint may change.
        stripes: which of the bands between two rings are striped.
        paint: of plate and body.
        stripe_paint: of the stripes.
        mass: of the whole [kg].
    """

    name: str
    height: float
    side: float
    thickness: float
    bottom: float
    top: float
    levels: tuple[float, ...]
    stripes: tuple[int, ...]
    paint: Colour
    stripe_paint: Colour
    mass: float

    def radius(self, level: float) -> float:
        """Radius of the body at a height [m]."""
        return self.bottom + (self.top - self.bottom) * level / self.height

    def solid(self) -> Solid:
        """Mass and inertia of plate and body."""
        plate = box(
            PLATE_SHARE * self.mass,
            (self.side, self.side, self.thickness),
            (0.0, 0.0, self.thickness / 2),
        )
        return joined(
            [plate, shell((1 - PLATE_SHARE) * self.mass, self.bottom, self.top, self.height)]
        )


def cone_shape(cone_class: ConeClass) -> ConeShape:
    """Shape of a class; a cone of unknown colour is a small one in a paint of its own."""
    scene = standard_scene(np.zeros((1, 2)), np.array([int(cone_class)]))
    is_big = cone_class == ConeClass.BIG_ORANGE
    height = float(scene.cone_heights[0])
    name = "unknown" if cone_class == ConeClass.UNKNOWN else CLASS_NAMES[cone_class]
    return ConeShape(
        name=name,
        height=height,
        side=float(scene.cone_base_sides[0]),
        thickness=PLATE_THICKNESS,
        bottom=float(scene.cone_bottom_radii[0]),
        top=float(scene.cone_top_radii[0]),
        levels=tuple(height * level for level in (TWO_STRIPES if is_big else ONE_STRIPE)),
        stripes=TWO_STRIPE_BANDS if is_big else ONE_STRIPE_BANDS,
        paint=_colour(PAINTS[cone_class][0]),
        stripe_paint=_colour(BLACK if cone_class == ConeClass.YELLOW else WHITE),
        mass=MASSES[cone_class] if cone_class < len(MASSES) else MASSES[0],
    )


def _colour(blue_green_red: tuple[int, int, int]) -> Colour:
    blue, green, red = (round(value / 255, 4) for value in blue_green_red)
    return red, green, blue
