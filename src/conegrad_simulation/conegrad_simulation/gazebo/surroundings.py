"""Obstacles and walls of a scene as one static model, as wide as for the planar LiDAR."""

import math
from xml.etree.ElementTree import Element

from conegrad_simulation.gazebo.cone_models import add_paint
from conegrad_simulation.gazebo.cone_shape import Colour
from conegrad_simulation.gazebo.xml_text import child
from conegrad_simulation.scene.scene import ObstacleKind, Scene, WallKind

WALL_THICKNESS = 0.06  # [m]
TORSO_FROM = 0.45  # share of a person's height where the legs end

OBSTACLE_PAINTS: dict[ObstacleKind, Colour] = {
    ObstacleKind.POST: (0.55, 0.55, 0.55),
    ObstacleKind.TYRE_STACK: (0.06, 0.06, 0.06),
    ObstacleKind.PERSON: (0.25, 0.3, 0.45),
    ObstacleKind.BARREL: (0.15, 0.25, 0.5),
    ObstacleKind.BIN: (0.2, 0.35, 0.2),
    ObstacleKind.TREE: (0.3, 0.2, 0.12),
    ObstacleKind.BOX: (0.6, 0.5, 0.35),
    ObstacleKind.BOLLARD: (0.8, 0.3, 0.1),
    ObstacleKind.EXTINGUISHER: (0.75, 0.08, 0.08),
    ObstacleKind.SHOE: (0.15, 0.25, 0.6),
    ObstacleKind.FLAG: (0.8, 0.7, 0.1),
    ObstacleKind.PANEL: (0.3, 0.4, 0.6),
    ObstacleKind.LAMP: (0.9, 0.4, 0.1),
}
WALL_PAINTS: dict[WallKind, Colour] = {
    WallKind.WALL: (0.62, 0.6, 0.58),
    WallKind.BARRIER: (0.8, 0.15, 0.12),
    WallKind.FENCE: (0.55, 0.55, 0.55),
    WallKind.BANNER: (0.1, 0.3, 0.7),
    WallKind.HEDGE: (0.2, 0.33, 0.18),
    WallKind.BACKDROP: (0.5, 0.5, 0.5),
}


def add_surroundings(world: Element, scene: Scene) -> None:
    """Add the model ``surroundings``, unless there is nothing around."""
    if not len(scene.obstacles) and not len(scene.walls):
        return
    model = child(world, "model", name="surroundings")
    child(model, "static", True)
    link = child(model, "link", name="things")
    _add_obstacles(link, scene)
    for number, (ends, height) in enumerate(zip(scene.walls, scene.wall_heights, strict=True)):
        paint = WALL_PAINTS[WallKind(int(scene.wall_kinds[number]))]
        _add_wall(link, f"wall_{number}", [float(v) for v in ends], float(height), paint)


def _add_obstacles(link: Element, scene: Scene) -> None:
    circles, heights = scene.planar_circles()
    # Round obstacles first, then the left and the right legs of the people, see planar_circles.
    is_person = scene.obstacle_kinds == ObstacleKind.PERSON
    kinds = [ObstacleKind(int(kind)) for kind in scene.obstacle_kinds[~is_person]]
    people = int(is_person.sum())
    kinds += [ObstacleKind.PERSON] * 2 * people
    for number, (circle, kind) in enumerate(zip(circles, kinds, strict=True)):
        share = TORSO_FROM if kind == ObstacleKind.PERSON else 1.0
        x, y, radius = (float(v) for v in circle)
        top = share * float(heights[number])
        _add_pillar(link, f"obstacle_{number}", (x, y), radius, (0.0, top), OBSTACLE_PAINTS[kind])
    for number, row in enumerate(is_person.nonzero()[0]):
        x, y, radius = (float(v) for v in scene.obstacles[row])
        height = float(scene.obstacle_heights[row])
        span = (TORSO_FROM * height, height)
        paint = OBSTACLE_PAINTS[ObstacleKind.PERSON]
        _add_pillar(link, f"torso_{number}", (x, y), radius, span, paint)


def _add_pillar(
    link: Element,
    name: str,
    place: tuple[float, float],
    radius: float,
    span: tuple[float, float],
    paint: Colour,
) -> None:
    for tag in ("collision", "visual"):
        shape = child(link, tag, name=name)
        child(shape, "pose", (*place, (span[0] + span[1]) / 2, 0.0, 0.0, 0.0))
        cylinder = child(child(shape, "geometry"), "cylinder")
        child(cylinder, "radius", radius)
        child(cylinder, "length", span[1] - span[0])
    add_paint(shape, paint)


def _add_wall(link: Element, name: str, ends: list[float], height: float, paint: Colour) -> None:
    x0, y0, x1, y1 = ends
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, height / 2)
    for tag in ("collision", "visual"):
        shape = child(link, tag, name=name)
        child(shape, "pose", (*middle, 0.0, 0.0, math.atan2(y1 - y0, x1 - x0)))
        size = (math.hypot(x1 - x0, y1 - y0), WALL_THICKNESS, height)
        child(child(child(shape, "geometry"), "box"), "size", size)
    add_paint(shape, paint)
