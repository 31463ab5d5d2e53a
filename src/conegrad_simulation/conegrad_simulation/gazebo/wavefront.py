"""Surfaces of revolution as Wavefront OBJ files."""

import math
from collections.abc import Sequence

SIDES = 32  # facets around
MATERIAL = "paint"  # name of the only material


def rings_to_obj(
    bands: Sequence[tuple[tuple[float, float], tuple[float, float]]], library: str
) -> str:
    """Open surface about the z axis with normals, of bands that need not touch.

    Args:
        bands: lower and upper ring of each, as radius and height [m].
        library: name of the file of :func:`material_library` beside it.

    Raises:
        ValueError: if there is no band, or a band has no extent along z.
    """
    if not bands:
        raise ValueError("there are 0 bands, expected at least one")
    vertices: list[str] = []
    normals: list[str] = []
    faces: list[str] = []
    for number, (lower, upper) in enumerate(bands):
        if not upper[1] > lower[1]:
            raise ValueError(f"band {number} goes from z {lower[1]} to {upper[1]}, expected up")
        vertices += [_vertex(ring, side) for ring in (lower, upper) for side in range(SIDES)]
        normals += [_normal(lower, upper, side) for side in range(SIDES)]
        faces += [_face(number, side) for side in range(SIDES)]
    head = [f"mtllib {library}", "o surface"]
    return "\n".join([*head, *vertices, *normals, f"usemtl {MATERIAL}", "s off", *faces, ""])


def material_library(colour: tuple[float, float, float]) -> str:
    """Material library with the colour of the surface, red, green and blue in [0, 1]."""
    red, green, blue = colour
    return f"newmtl {MATERIAL}\nKd {red:g} {green:g} {blue:g}\n"


def _vertex(ring: tuple[float, float], side: int) -> str:
    angle = 2 * math.pi * side / SIDES
    radius, height = ring
    return f"v {radius * math.cos(angle):.6f} {radius * math.sin(angle):.6f} {height:.6f}"


def _normal(lower: tuple[float, float], upper: tuple[float, float], side: int) -> str:
    angle = 2 * math.pi * side / SIDES
    across, along = upper[1] - lower[1], lower[0] - upper[0]
    length = math.hypot(across, along)
    x, y, z = across * math.cos(angle) / length, across * math.sin(angle) / length, along / length
    return f"vn {x:.6f} {y:.6f} {z:.6f}"


def _face(band: int, side: int) -> str:
    """Quadrilateral, counter-clockwise from outside; OBJ counts from one."""
    after = (side + 1) % SIDES
    low, normal = 1 + 2 * SIDES * band, 1 + SIDES * band
    corners = ((low + side, side), (low + after, after),
               (low + SIDES + after, after), (low + SIDES + side, side))  # fmt: skip
    return "f " + " ".join(f"{vertex}//{normal + turn}" for vertex, turn in corners)
