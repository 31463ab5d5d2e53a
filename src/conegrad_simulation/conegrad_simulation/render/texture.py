"""Seeded grey textures that tile: the grain of the ground, soft blotches, foliage, noise."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

SIZE = 1024  # [px], side of a tile
GRAIN_SCALE = 128.0  # [px/m] on the ground
LEVELS = 6
VARIANTS = 4  # tiles per kind
NEUTRAL = 128  # grey value that leaves the ground as it is


@lru_cache(maxsize=64)
def grain(kind: str, variant: int) -> tuple[Bytes, ...]:
    """Tiles of one ground, each with half the sharpness of the one before; 128 is neutral."""
    rng = np.random.default_rng((variant, sum(map(ord, kind)), 0x6A41))
    fine, medium, coarse = (_noise(rng, blur) for blur in (0.6, 1.8, 7.0))
    if kind == "speckled":
        stones = np.maximum(_noise(rng, 1.3) - 0.6, 0.0) * 2.2 - np.maximum(
            _noise(rng, 1.6) - 0.9, 0
        )
        mix = 30 * fine + 30 * medium + 10 * coarse + 42 * stones - 8
    elif kind in ("concrete", "slabs"):
        mix = 9 * fine + 6 * medium + 9 * coarse
    elif kind == "floor":
        mix = 3 * fine + 3 * coarse
    elif kind == "wet":
        mix = 16 * fine + 14 * medium + 16 * coarse
    else:
        mix = 22 * fine + 14 * medium + 7 * coarse
    return _blurred_levels(np.clip(NEUTRAL + mix, 0, 255).astype(np.float32))


@lru_cache(maxsize=16)
def blotches(variant: int) -> Bytes:
    """Large soft stains, 128 is neutral; 256 px of 0.25 m each."""
    rng = np.random.default_rng((variant, 0xB107))
    mix = sum(
        weight * _noise(rng, blur, 256) for weight, blur in ((14, 2.0), (18, 6.0), (20, 16.0))
    )
    return np.clip(NEUTRAL + mix, 0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def foliage(variant: int) -> Bytes:
    """Shadow of trees, 255 where it is darkest; 256 px of 0.08 m each."""
    rng = np.random.default_rng((variant, 0xF011))
    leaves, crowns = _noise(rng, 1.5, 256), _noise(rng, 22.0, 256)
    shade = np.clip((crowns * 1.6 + 0.45 * leaves) * 1.5, 0.0, 1.0)
    return (255 * shade).astype(np.uint8)


@lru_cache(maxsize=16)
def sensor_noise(variant: int, blurred: bool) -> Bytes:
    """Colour noise of standard deviation 32 around 128, ``(1200, 2000, 3)``."""
    rng = np.random.default_rng((variant, blurred, 0x5E45))
    noise = rng.standard_normal((1200, 2000, 3), dtype=np.float32)
    if blurred:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.9)
        noise /= noise.std()
    # Brightness noise dominates over colour noise, as behind a Bayer filter.
    noise = 0.8 * noise[..., :1] + 0.6 * noise
    return np.clip(NEUTRAL + 32 * noise, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, blur: float, size: int = SIZE) -> npt.NDArray[np.float32]:
    """Tiling blurred white noise of standard deviation 1."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    margin = min(size, int(4 * blur) + 2)
    padded = cv2.copyMakeBorder(white, margin, margin, margin, margin, cv2.BORDER_WRAP)
    soft = cv2.GaussianBlur(padded, (0, 0), blur)[margin:-margin, margin:-margin]
    return np.asarray(soft / soft.std(), dtype=np.float32)


def _blurred_levels(tile: npt.NDArray[np.float32]) -> tuple[Bytes, ...]:
    levels = [tile]
    for level in range(1, LEVELS):
        margin = 64
        padded = cv2.copyMakeBorder(tile, margin, margin, margin, margin, cv2.BORDER_WRAP)
        soft = cv2.GaussianBlur(padded, (0, 0), 0.5 * 2**level)
        levels.append(soft[margin:-margin, margin:-margin])
    return tuple(np.ascontiguousarray(level.astype(np.uint8)) for level in levels)
