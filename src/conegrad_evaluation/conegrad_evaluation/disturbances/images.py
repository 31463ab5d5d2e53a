"""Disturbances of images: blur, darkness, wrong colours, noise.

Lengths in pixels are those of an image that is 640 px wide and grow with the width, so that a
severity means the same at any resolution. The kinds are those of Hendrycks & Dietterich,
Benchmarking Neural Network Robustness to Common Corruptions and Perturbations (ICLR 2019).
"""

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_evaluation.disturbances.disturbance import Disturbance, Parameters

IMAGE = "Image"  # kind of port
WIDTH = 640.0  # [px] of the image that lengths are given for

Floats = npt.NDArray[np.float32]


def _defocus(image: RgbImage, parameters: Parameters, _: np.random.Generator) -> RgbImage:
    """Blur by a disc, as a lens out of focus makes it."""
    radius = parameters["radius"] * image.shape[1] / WIDTH
    reach = max(1, int(np.ceil(radius)))
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    disc = np.clip(radius + 0.5 - distance, 0.0, 1.0)  # with a soft edge
    return _filtered(image, disc / disc.sum())


def _motion_blur(image: RgbImage, parameters: Parameters, _: np.random.Generator) -> RgbImage:
    """Blur along a line, as a shake during the exposure makes it."""
    length = parameters["length"] * image.shape[1] / WIDTH
    turn = np.radians(parameters["angle"])
    reach = max(1, int(np.ceil(length / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for along in np.linspace(-length / 2, length / 2, 8 * reach + 1):
        x, y = reach + along * np.cos(turn), reach - along * np.sin(turn)
        column, row = int(np.floor(x)), int(np.floor(y))
        for at_row, at_column in np.ndindex(2, 2):  # bilinear
            weight = (1 - abs(x - column - at_column)) * (1 - abs(y - row - at_row))
            if weight > 0:
                kernel[row + at_row, column + at_column] += weight
    return _filtered(image, kernel / kernel.sum())


def _darkness(image: RgbImage, parameters: Parameters, draws: np.random.Generator) -> RgbImage:
    """Less light, and the noise that the sensor reads out in the dark."""
    dark = image.astype(np.float32) * np.float32(parameters["light"])
    return _with_noise(dark, parameters["noise"], draws)


def _glare(image: RgbImage, parameters: Parameters, _: np.random.Generator) -> RgbImage:
    """Overexposed, with the veil of a light source outside of the picture over its upper side."""
    height, width = image.shape[:2]
    rows = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None]
    veil = 255.0 * parameters["veil"] * np.exp(-2.0 * (rows**2 + columns**2))
    return _rounded(image.astype(np.float32) * np.float32(parameters["gain"]) + veil[..., None])


def _noise(image: RgbImage, parameters: Parameters, draws: np.random.Generator) -> RgbImage:
    """Gaussian noise of each channel of each pixel."""
    return _with_noise(image.astype(np.float32), parameters["noise"], draws)


def _channels_swapped(image: RgbImage, parameters: Parameters, _: np.random.Generator) -> RgbImage:
    """Red and blue exchanged, as where BGR is taken for RGB; by a share in between."""
    share = np.float32(parameters["share"])
    mixed = image.astype(np.float32)
    return _rounded(mixed + share * (mixed[..., ::-1] - mixed))


def _hue(image: RgbImage, parameters: Parameters, _: np.random.Generator) -> RgbImage:
    """Hue turned; saturation and value stay."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + parameters["degrees"]) % 360.0
    return _rounded(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255.0)


def _dead_columns(image: RgbImage, parameters: Parameters, draws: np.random.Generator) -> RgbImage:
    """Columns of the sensor that give black, in blocks."""
    columns, block = image.shape[1], round(parameters["block"] * image.shape[1] / WIDTH)
    found = image.copy()
    for _ in range(round(parameters["share"] * columns / block)):
        start = int(draws.integers(max(1, columns - block)))
        found[:, start : start + block] = 0
    return np.asarray(found, dtype=np.uint8)


def _garbage(image: RgbImage, parameters: Parameters, draws: np.random.Generator) -> RgbImage:
    """Noise in place of a share of the rows, as of a broken transfer."""
    found, rows = image.copy(), round(parameters["share"] * len(image))
    start = int(draws.integers(len(image) - rows + 1))
    shape = (rows, *image.shape[1:])
    found[start : start + rows] = draws.integers(256, size=shape, dtype=np.uint8)
    return np.asarray(found, dtype=np.uint8)


def _missing(_image: RgbImage, _parameters: Parameters, _draws: np.random.Generator) -> None:
    """No image."""


def _filtered(image: RgbImage, kernel: npt.NDArray[np.float64]) -> RgbImage:
    found = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(found, dtype=np.uint8)


def _with_noise(image: Floats, deviation: float, draws: np.random.Generator) -> RgbImage:
    noise = draws.standard_normal(image.shape, dtype=np.float32)
    return _rounded(image + np.float32(deviation) * noise)


def _rounded(image: Floats) -> RgbImage:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


DEFOCUS = Disturbance(
    "image_defocus", IMAGE, "lens out of focus: radius of the disc [px at a width of 640]",
    [{"radius": 1.5}, {"radius": 3.0}, {"radius": 5.0}], _defocus,
)  # fmt: skip
MOTION_BLUR = Disturbance(
    "image_motion_blur", IMAGE,
    "shaken: length [px at a width of 640], angle from the horizontal [degrees]",
    [{"length": 6.0, "angle": 0.0}, {"length": 12.0, "angle": 0.0}, {"length": 24.0, "angle": 0.0}],
    _motion_blur,
)  # fmt: skip
DARKNESS = Disturbance(
    "image_darkness", IMAGE, "dark: share of the light that is left, noise [of 255]",
    [{"light": 0.4, "noise": 2.0}, {"light": 0.2, "noise": 3.0}, {"light": 0.1, "noise": 4.0}],
    _darkness,
)  # fmt: skip
GLARE = Disturbance(
    "image_glare", IMAGE, "blinded: gain of the exposure, veil of stray light [share of white]",
    [{"gain": 1.3, "veil": 0.3}, {"gain": 1.8, "veil": 0.6}, {"gain": 3.0, "veil": 1.0}], _glare,
)  # fmt: skip
NOISE = Disturbance(
    "image_noise", IMAGE, "noisy: standard deviation [of 255]",
    [{"noise": 12.0}, {"noise": 25.0}, {"noise": 50.0}], _noise,
)  # fmt: skip
CHANNELS_SWAPPED = Disturbance(
    "image_channels_swapped", IMAGE, "BGR taken for RGB: share of the exchange",
    [{"share": 0.35}, {"share": 0.7}, {"share": 1.0}], _channels_swapped,
)  # fmt: skip
HUE = Disturbance(
    "image_hue", IMAGE, "wrong colours: turn of the hue [degrees]",
    [{"degrees": 30.0}, {"degrees": 60.0}, {"degrees": 150.0}], _hue,
)  # fmt: skip
DEAD_COLUMNS = Disturbance(
    "image_dead_columns", IMAGE, "black columns: share, width of a block [px at a width of 640]",
    [{"share": 0.05, "block": 2.0}, {"share": 0.15, "block": 4.0}, {"share": 0.3, "block": 8.0}],
    _dead_columns,
)  # fmt: skip
GARBAGE = Disturbance(
    "image_garbage", IMAGE, "noise in place of rows: share of them",
    [{"share": 0.2}, {"share": 0.5}, {"share": 1.0}], _garbage,
)  # fmt: skip
NO_IMAGE = Disturbance("no_image", IMAGE, "camera lost: no image", [{}], _missing, takes_away=True)
