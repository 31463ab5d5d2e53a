"""Cones as meshes: rings of vertices with a stripe, paint and dirt per facet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import ConeClass
from conegrad_simulation.planar import Floats
from conegrad_simulation.render.cone_paint import strange_paint
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.shade_bands import light_at
from conegrad_simulation.scene.world import World

SIDES = 10  # facets around
BANDS = 7  # facets upwards
BODY = (BANDS + 1) * SIDES  # vertices of the body
PLATE = 8  # vertices of the base plate
PLATE_THICKNESS = 0.028  # [m]

# Levels of the rings as shares of the height; the stripes end on rings.
TWO_STRIPES = (0.0, 0.20, 0.38, 0.56, 0.74, 0.84, 0.93, 1.0)
ONE_STRIPE_BANDS = (2, 3)
TWO_STRIPE_BANDS = (1, 3)

# Paint, blue green red: manufacturers differ; sun, age and cameras change it as well.
ORANGES = ((15, 75, 235), (20, 95, 250), (25, 55, 225), (10, 110, 245), (30, 60, 200))
PAINTS = {
    ConeClass.BLUE: ((175, 80, 15), (200, 110, 10), (140, 50, 15), (215, 130, 30), (160, 60, 50)),
    ConeClass.YELLOW: ((0, 195, 235), (10, 215, 250), (0, 165, 215), (30, 225, 240), (0, 180, 250)),
    ConeClass.SMALL_ORANGE: ORANGES,
    ConeClass.BIG_ORANGE: ORANGES,
    ConeClass.UNKNOWN: ((90, 160, 60), (60, 60, 60), (200, 200, 200), (120, 60, 150)),
}
WHITE, BLACK = (225, 228, 230), (32, 30, 30)


@dataclass(frozen=True)
class ConeMeshes:
    """Meshes of N cones in map coordinates.

    Attributes:
        rings: ``(N, BANDS + 1, SIDES, 3)`` vertices of the body, from the ground up.
        plates: ``(N, 2, 4, 3)`` corners of the base plate, lower and upper.
        paint: ``(N, BANDS, SIDES, 3)`` lit colour of each facet, blue green red, 0 to 255.
        plate_paint: ``(N, 2, 3)`` lit colours of the plate's sides and top.
        cap_paint: ``(N, 3)`` of the top.
    """

    rings: Floats
    plates: Floats
    paint: Floats
    plate_paint: Floats
    cap_paint: Floats


def cone_meshes(scene: Scene, world: World, keep: npt.NDArray[np.int64]) -> ConeMeshes:
    """Meshes of the rows ``keep`` of a scene; a cone has the same paint in every frame."""
    rng = np.random.default_rng((world.cone_style, 0xC04E))
    variation = rng.random((len(scene.cone_classes), 12))[keep]
    dirt = rng.standard_normal((len(scene.cone_classes), BANDS, SIDES))[keep]
    is_big = scene.cone_classes[keep] == ConeClass.BIG_ORANGE
    levels = np.where(is_big[:, None], _two_stripes(world), _one_stripe(world))
    rings, plates = _vertices(scene, keep, levels)
    albedo, plate_albedo = _albedo(scene.cone_classes[keep], variation, dirt, world)
    if world.cone_variety > 0:
        albedo = strange_paint(albedo, scene.cone_classes[keep], variation, world)
    light = _light(rings, world)
    light = light * light_at(scene.cone_positions[keep], world)[:, None, None]
    paint = albedo * light[..., None]
    flat = 1.0 - 0.25 * world.ambient_shade
    plate_light = np.array([1.0 - 0.6 * world.ambient_shade, flat])[None, :, None]
    return ConeMeshes(
        rings,
        plates,
        paint,
        plate_albedo[:, None]
        * plate_light
        * light_at(scene.cone_positions[keep], world)[:, None, None],
        albedo[:, -1].mean(axis=1) * np.where(variation[:, 11:] < 0.6, 0.35, 1.0),
    )


def _one_stripe(world: World) -> Floats:
    """Levels of the rings of a cone with one stripe; its height varies by manufacturer."""
    maker = np.random.default_rng((world.cone_style, 0x0E57))
    low, high = maker.uniform(0.34, 0.50), maker.uniform(0.60, 0.78)
    return np.array([0.0, 0.18, low, (low + high) / 2, high, (high + 0.95) / 2, 0.95, 1.0])


def _two_stripes(world: World) -> Floats:
    """Levels of the rings of a cone with two stripes; only unusual makers move them."""
    if world.cone_variety <= 0:
        return np.array(TWO_STRIPES)
    maker = np.random.default_rng((world.cone_style, 0x2E57))
    moved = np.array(TWO_STRIPES[1:5]) + world.cone_variety * maker.uniform(-0.07, 0.07, 4)
    return np.array([0.0, *moved, *TWO_STRIPES[5:]])


def _vertices(scene: Scene, keep: npt.NDArray[np.int64], levels: Floats) -> tuple[Floats, Floats]:
    height = scene.cone_heights[keep][:, None]
    bottom, top = (r[keep][:, None] for r in (scene.cone_bottom_radii, scene.cone_top_radii))
    radius = bottom + levels * (top - bottom)
    yaw = scene.cone_yaws[keep][:, None]
    angle = yaw + np.arange(SIDES) * 2 * np.pi / SIDES
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    body = np.empty((len(keep), BANDS + 1, SIDES, 3))
    body[..., :2] = radius[:, :, None, None] * circle[:, None]
    body[..., 2] = (levels * height)[:, :, None]
    corner = yaw + np.pi / 4 + np.arange(4) * np.pi / 2
    half_diagonal = scene.cone_base_sides[keep][:, None] / np.sqrt(2)
    plate = np.zeros((len(keep), 2, 4, 3))
    plate[..., :2] = (
        half_diagonal[..., None] * np.stack([np.cos(corner), np.sin(corner)], axis=-1)
    )[:, None]
    plate[:, 1, :, 2] = PLATE_THICKNESS
    parts = np.concatenate(
        [body.reshape(len(keep), BODY, 3), plate.reshape(len(keep), PLATE, 3)], axis=1
    )
    parts = _leaned(parts, scene.cone_leans[keep])
    parts[..., :2] += scene.cone_positions[keep][:, None]
    return parts[:, :BODY].reshape(body.shape), parts[:, BODY:].reshape(plate.shape)


def _leaned(points: Floats, leans: Floats) -> Floats:
    """Turn about the ground point, then lift until nothing is below the ground."""
    if not (np.linalg.norm(leans, axis=1) > 1e-6).any():
        return points
    leaned = turned(points, leans)
    leaned[..., 2] -= leaned[..., 2].min(axis=1, keepdims=True)
    return leaned


def turned(points: Floats, leans: Floats) -> Floats:
    """Points ``(N, K, 3)`` around the ground points of N cones, turned with their lean."""
    angle = np.linalg.norm(leans, axis=1)
    way = leans / np.maximum(angle, 1e-9)[:, None]
    along = np.einsum("nkd,nd->nk", points[..., :2], way)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    found: Floats = points.copy()
    shift = along * (cosine - 1) + points[..., 2] * sine
    found[..., :2] += shift[..., None] * way[:, None]
    found[..., 2] = points[..., 2] * cosine - along * sine
    return found


def _albedo(
    classes: npt.NDArray[np.int64], variation: Floats, dirt: Floats, world: World
) -> tuple[Floats, Floats]:
    maker = np.random.default_rng((world.cone_style, 0x3A4E)).random(16)
    count = len(classes)
    body = np.empty((count, 3))
    for colour, paints in PAINTS.items():
        # All cones of a colour mostly come from one maker.
        own = (maker[int(colour)] * len(paints)).astype(int) + np.zeros(count, int)
        other = (variation[:, 0] * len(paints)).astype(int)
        chosen = np.array(paints)[np.where(variation[:, 1] < 0.8, own, other)]
        body = np.where((classes == colour)[:, None], chosen, body)
    body = body * (0.85 + 0.3 * variation[:, 2:3])
    fading = 0.22 * world.cone_wear * variation[:, 3:4]
    body = body * (1 - fading) + fading * body.mean(axis=1, keepdims=True) * 1.15
    albedo = np.repeat(np.repeat(body[:, None, None], BANDS, axis=1), SIDES, axis=2)
    albedo = _striped(albedo, classes, variation, maker)
    wear = 0.03 + 0.16 * world.cone_wear * variation[:, 4]
    albedo = albedo * (1 + wear[:, None, None, None] * np.clip(dirt, -2.5, 1.0)[..., None])
    # Splashes from below darken the foot.
    foot = 1 - 0.45 * world.cone_wear * (variation[:, 5:6] ** 2) * np.linspace(1, 0, BANDS) ** 2
    albedo = albedo * foot[:, :, None, None]
    is_dark = (variation[:, 6] < 0.12) | ((maker[8 + classes % 5] < 0.2) & (variation[:, 6] < 0.9))
    plate = np.where(is_dark[:, None], np.array(BLACK) * 1.3, body * 0.95)
    return albedo, plate


def _striped(
    albedo: Floats, classes: npt.NDArray[np.int64], variation: Floats, maker: Floats
) -> Floats:
    stripe = np.where((classes == ConeClass.YELLOW)[:, None], BLACK, WHITE).astype(float)
    stripe *= 0.75 + 0.3 * variation[:, 7:8]
    is_big = classes == ConeClass.BIG_ORANGE
    is_plain = ~is_big & (variation[:, 8] < np.where(maker[5 + classes % 3] < 0.15, 0.6, 0.05))
    for band in range(BANDS):
        has = np.where(is_big, band in TWO_STRIPE_BANDS, band in ONE_STRIPE_BANDS) & ~is_plain
        albedo[:, band] = np.where(has[:, None, None], stripe[:, None], albedo[:, band])
    return albedo


def _light(rings: Floats, world: World) -> Floats:
    """``(N, BANDS, SIDES)`` share of light on each facet, 1 where it faces the sun."""
    middle = rings[:, :-1].mean(axis=2, keepdims=True)
    facing = rings[:, :-1] + np.roll(rings[:, :-1], -1, axis=2) - 2 * middle
    facing /= np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), 1e-9)
    low = np.cos(world.sun_elevation)
    sun = np.array(
        [
            low * np.cos(world.sun_azimuth),
            low * np.sin(world.sun_azimuth),
            np.sin(world.sun_elevation),
        ]
    )
    cosine = np.clip(facing @ sun, -0.3, 1.0)
    shine = 0.25 * world.ambient_shade * np.clip(cosine, 0, 1) ** 8
    light: Floats = 1.0 - world.ambient_shade * (1 - np.maximum(cosine, 0.0)) * 0.75 + shine
    return light
