"""Effects of lens, sensor and coding on an image: glare, blur, colours, noise, JPEG."""

from functools import lru_cache

import cv2
import numpy as np

from conegrad_simulation.render.texture import Bytes, sensor_noise
from conegrad_simulation.render.view import View
from conegrad_simulation.scene.hard_world import FULL_RESOLUTION
from conegrad_simulation.scene.world import World

TYPICAL_MEAN = 112.0  # grey value that the automatic exposure aims at
METERING = 0.7  # share of the correction towards it, in stops
GREY_WEIGHTS = np.array([0.114, 0.587, 0.299])  # of blue, green, red


def apply_sensor_effects(image: Bytes, view: View, world: World, rng: np.random.Generator) -> Bytes:
    """Image as a camera would record it.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        view: the camera, for the direction of the sun.
        world: strength of each effect.
        rng: source of the noise.

    Returns:
        ``(H, W, 3)`` uint8 BGR; the argument stays as it is.
    """
    scale = image.shape[1] / 640
    if world.glare > 0:
        image = _glare(image, view, world)
    image = _lens(image, world, scale)
    image = _colours(image, world)
    image = _noise(image, world, rng)
    image = _stored_small(image, world)
    if world.sharpen > 0:
        soft = cv2.blur(image, (3, 3))
        image = cv2.addWeighted(image, 1 + world.sharpen, soft, -world.sharpen, 0)
    if world.resolution == FULL_RESOLUTION:
        image = _coded(image, world)
    return image


def _glare(image: Bytes, view: View, world: World) -> Bytes:
    """Bloom around the sun and its streak on the ground below."""
    height, width = image.shape[:2]
    rows, columns = height // 8, width // 8
    turn = np.angle(np.exp(1j * (world.sun_azimuth - view.heading)))
    x = 0.5 - np.clip(turn, -1.2, 1.2) * view.focal / width
    horizon = (
        0.5
        + (view.camera_from_map[1] @ [np.cos(view.heading), np.sin(view.heading), 0, 0])
        * view.focal
        / height
    )
    y = horizon - np.tan(min(world.sun_elevation, 0.6)) * view.focal / height
    u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    bloom = np.exp(-((u - x) ** 2 + ((v - y) * height / width) ** 2) / 0.08)
    below = np.clip((v - horizon) * 6, 0, 1)
    streak = below * np.exp(-(((u - x) / (0.04 + 0.12 * np.clip(v - horizon, 0, 1))) ** 2))
    wetness = 1.0 if world.ground == "wet" else 0.35
    light = 150 * world.glare * (bloom + wetness * streak * np.exp(-2 * (v - horizon)))
    light = np.clip(light[..., None] * [0.75, 0.92, 1.0], 0, 255).astype(np.uint8)
    return np.asarray(cv2.add(image, cv2.resize(light, (width, height))), dtype=np.uint8)


def _lens(image: Bytes, world: World, scale: float) -> Bytes:
    if world.chromatic > 0:
        image = _fringed(image, world.chromatic)
    if world.motion_blur * scale > 1.5:
        image = _smeared(image, world.motion_blur * scale, world.rolling)
    if world.blur * scale > 0.35:
        image = cv2.GaussianBlur(image, (0, 0), world.blur * scale)
    if world.vignette > 0.05:
        shade = _vignette(image.shape[1], image.shape[0], round(world.vignette, 1))
        image = cv2.multiply(image, shade, scale=1 / 255)
    return image


def _fringed(image: Bytes, shift: float) -> Bytes:
    """Red magnified against the other colours, by ``shift`` px at the border of 640 px."""
    height, width = image.shape[:2]
    factor = 1 + shift / 320
    matrix = np.array(
        [[factor, 0, (1 - factor) * width / 2], [0, factor, (1 - factor) * height / 2]]
    )
    fringed: Bytes = image.copy()
    red = np.ascontiguousarray(image[..., 2])
    fringed[..., 2] = cv2.warpAffine(red, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return fringed


def _smeared(image: Bytes, length: float, angle: float) -> Bytes:
    """Mean of four copies along a line, centred on the original position."""
    for part in (length / 2, length / 4):
        step = np.array([np.cos(angle), np.sin(angle)]) * part
        x, y = (int(s) for s in np.round(step))
        if x == 0 and y == 0:
            continue
        padded = cv2.copyMakeBorder(image, 8, 8, 8, 8, cv2.BORDER_REPLICATE)
        x, y = int(np.clip(x, -14, 14)), int(np.clip(y, -14, 14))
        height, width = image.shape[:2]
        first = padded[8 - y // 2 : 8 - y // 2 + height, 8 - x // 2 : 8 - x // 2 + width]
        y0, x0 = 8 + y - y // 2, 8 + x - x // 2
        image = cv2.addWeighted(first, 0.5, padded[y0 : y0 + height, x0 : x0 + width], 0.5, 0)
    return image


@lru_cache(maxsize=16)
def _vignette(width: int, height: int, strength: float) -> Bytes:
    u, v = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    shade = 255 * (1 - strength * np.clip((u**2 + v**2) / 2, 0, 1) ** 1.3)
    return np.repeat(shade[..., None], 3, axis=2).astype(np.uint8)


def _colours(image: Bytes, world: World) -> Bytes:
    """Saturation, white balance, exposure and contrast in one matrix, then gamma."""
    matrix = world.saturation * np.eye(3) + (1 - world.saturation) * GREY_WEIGHTS
    gains = np.array([world.white_balance[1], 1.0, world.white_balance[0]])
    matrix = matrix * gains[:, None] * _metered(image) * world.exposure * world.contrast
    offset = np.full((3, 1), 110.0 * (1 - world.contrast))
    image = cv2.transform(image, np.hstack([matrix, offset]))
    if abs(world.gamma - 1) > 0.05:
        image = cv2.LUT(image, _gamma_table(round(world.gamma, 2)))
    return image


def _metered(image: Bytes) -> float:
    """Gain of the automatic exposure, which corrects a part of the difference."""
    mean = float(np.mean(cv2.mean(image)[:3]))
    return float(np.clip((TYPICAL_MEAN / max(mean, 1.0)) ** METERING, 0.4, 2.5))


@lru_cache(maxsize=128)
def _gamma_table(gamma: float) -> Bytes:
    return (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)


def _stored_small(image: Bytes, world: World) -> Bytes:
    """The picture shrunk by its resolution and enlarged again, as many data sets store it."""
    height, width = image.shape[:2]
    across, down = world.resolution
    small = (max(1, round(width * across)), max(1, round(height * down)))
    if small == (width, height):
        return image
    image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    image = _coded(image, world)
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


def _coded(image: Bytes, world: World) -> Bytes:
    """The picture after its JPEG coding."""
    if world.jpeg <= 0:
        return image
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, world.jpeg])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _noise(image: Bytes, world: World, rng: np.random.Generator) -> Bytes:
    if world.noise < 0.5:
        return image
    height, width = image.shape[:2]
    tile = sensor_noise(int(rng.integers(2)), bool(rng.random() < 0.5))
    y = int(rng.integers(max(1, tile.shape[0] - height)))
    x = int(rng.integers(max(1, tile.shape[1] - width)))
    part = tile[y : y + height, x : x + width]
    share = world.noise / 32
    return np.asarray(cv2.addWeighted(image, 1.0, part, share, -128 * share), dtype=np.uint8)
