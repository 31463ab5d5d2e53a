"""The part of an image above the ground: sky and panorama, with fog."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.planar import Floats
from conegrad_simulation.render.panorama import HEIGHT, SCALE, VARIANTS, WIDTH, panorama
from conegrad_simulation.render.texture import Bytes
from conegrad_simulation.render.view import Singles, View, to_full_size
from conegrad_simulation.scene.world import World

SKIES = (  # blue green red at the top and at the horizon
    ((215, 160, 95), (235, 215, 195)),
    ((235, 190, 130), (245, 235, 225)),
    ((250, 250, 250), (252, 252, 252)),
    ((200, 200, 200), (235, 235, 235)),
    ((165, 160, 155), (205, 205, 205)),
    ((150, 110, 70), (150, 190, 230)),
)


def sky_colours(world: World) -> tuple[Floats, Floats]:
    """Colours (BGR) of the sky at the top and at the horizon."""
    return _sky_colours(world.backdrop, world.shadow < 0.25)


@lru_cache(maxsize=64)
def _sky_colours(backdrop: int, dull: bool) -> tuple[Floats, Floats]:
    rng = np.random.default_rng((backdrop, 0x51E5))
    top, horizon = SKIES[int(rng.integers(2, 6) if dull else rng.integers(0, 3))]
    gain = rng.uniform(0.85, 1.1)
    return np.clip(np.array(top) * gain, 0, 255), np.clip(np.array(horizon) * gain, 0, 255)


def paint_backdrop(image: Bytes, directions: Singles, view: View, world: World) -> None:
    """Fill every row of ``image`` (BGR) that reaches above the foot of the backdrop.

    Args:
        image: ``(H, W, 3)`` picture, changed in place.
        directions: coarse directions of the rays in the map.
        view: the camera.
        world: appearance.
    """
    height, width = image.shape[:2]
    azimuth, slope = _angles(directions, view)
    rise = slope + view.position[2] / world.backdrop_distance
    coarse_rows = (HEIGHT - 1 - rise * SCALE).astype(np.float32)
    rows = to_full_size(coarse_rows, width, height)
    bottom = _last_true(np.asarray((rows < HEIGHT + 2).any(axis=1)))
    if not bottom:
        return
    top_row = int(np.clip(coarse_rows.min(), 0, HEIGHT - 2))
    strip, first = _visible_strip(azimuth, top_row, view, world)
    columns = to_full_size((-azimuth * SCALE - first).astype(np.float32), width, bottom)
    image[:bottom] = cv2.remap(
        strip, columns, rows[:bottom] - np.float32(top_row), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _last_true(flags: npt.NDArray[np.bool_]) -> int:
    """One more than the index of the last true flag, 0 where there is none."""
    found = np.flatnonzero(flags)
    return int(found[-1]) + 1 if len(found) else 0


def _angles(directions: Singles, view: View) -> tuple[Singles, Singles]:
    """Azimuth to the left of the optical axis [rad] and tangent of the elevation."""
    cosine, sine = np.cos(view.heading), np.sin(view.heading)
    ahead = directions[..., 0] * cosine + directions[..., 1] * sine
    left = -directions[..., 0] * sine + directions[..., 1] * cosine
    return np.arctan2(left, ahead), directions[..., 2] / np.hypot(ahead, left)


def _visible_strip(azimuth: Singles, top_row: int, view: View, world: World) -> tuple[Bytes, int]:
    """Panorama over sky in the directions of the image, and its first column."""
    painted = panorama(world.surroundings, world.backdrop % VARIANTS)
    first = int(np.floor(-azimuth.max() * SCALE)) - 2
    count = min(int(np.ceil((azimuth.max() - azimuth.min()) * SCALE)) + 5, WIDTH)
    # Turning left moves the panorama to the right; each world starts at another column.
    start = (first + world.backdrop // VARIANTS - round(view.heading * SCALE)) % WIDTH
    colours = _wrapped(painted.colours[top_row:], start, count)
    strip = _sky(world, top_row, count)
    cv2.copyTo(_tinted(colours, world), _wrapped(painted.opacity[top_row:], start, count), strip)
    return strip, first


def _wrapped(picture: Bytes, start: int, count: int) -> Bytes:
    if start + count <= WIDTH:
        return np.ascontiguousarray(picture[:, start : start + count])
    return np.hstack([picture[:, start:], picture[:, : start + count - WIDTH]])


def _sky(world: World, top_row: int, count: int) -> Bytes:
    top, horizon = sky_colours(world)
    share = np.linspace(1.0, 0.0, HEIGHT)[top_row:, None] ** 0.6
    rows = (horizon + share * (top - horizon)).astype(np.uint8)
    strip = cv2.resize(rows[:, None], (count, len(rows)), interpolation=cv2.INTER_NEAREST)
    return np.asarray(strip, dtype=np.uint8)


def _tinted(colours: Bytes, world: World) -> Bytes:
    """Panorama with the brightness, tint and fog of a world."""
    rng = np.random.default_rng((world.backdrop, 0x717D))
    gains = rng.uniform(0.5, 1.15) * rng.uniform(0.9, 1.1, 3)
    haze = world.fog * 0.85 if world.backdrop_distance > 30 else 0.0
    fog = sky_colours(world)[1] * haze
    matrix = np.hstack([np.diag(gains * (1 - haze)), fog[:, None]])
    return np.asarray(cv2.transform(colours, matrix), dtype=np.uint8)
