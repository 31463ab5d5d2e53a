"""Images of any usual encoding, raw or compressed, to RGB."""

import io
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from conegrad_core.camera.detector import Detector
from conegrad_core.camera.image import RgbImage
from conegrad_data.decode.errors import CONTENT_ERRORS, DecodeError, from_content

# Encoding -> channels, bytes per channel, OpenCV conversion to RGB (None: it is RGB already).
ENCODINGS: dict[str, tuple[int, int, int | None]] = {
    "rgb8": (3, 1, None),
    "bgr8": (3, 1, cv2.COLOR_BGR2RGB),
    "rgba8": (4, 1, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, 1, cv2.COLOR_BGRA2RGB),
    "mono8": (1, 1, cv2.COLOR_GRAY2RGB),
    "rgb16": (3, 2, None),
    "bgr16": (3, 2, cv2.COLOR_BGR2RGB),
    "rgba16": (4, 2, cv2.COLOR_RGBA2RGB),
    "bgra16": (4, 2, cv2.COLOR_BGRA2RGB),
    "mono16": (1, 2, cv2.COLOR_GRAY2RGB),
    # OpenCV names a Bayer pattern by its second row, ROS by its first.
    "bayer_rggb8": (1, 1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": (1, 1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": (1, 1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": (1, 1, cv2.COLOR_BayerGB2RGB),
    "uyvy": (2, 1, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422": (2, 1, cv2.COLOR_YUV2RGB_UYVY),  # former name of uyvy
    "yuyv": (2, 1, cv2.COLOR_YUV2RGB_YUY2),
    "yuv422_yuy2": (2, 1, cv2.COLOR_YUV2RGB_YUY2),  # former name of yuyv
}
PLANAR = {"nv21": cv2.COLOR_YUV2RGB_NV21, "nv12": cv2.COLOR_YUV2RGB_NV12}
# First bytes of a file -> its reader in Pillow. Not Image.open, which Ultralytics replaces.
FILES: dict[bytes, Any] = {
    b"\xff\xd8": JpegImagePlugin.JpegImageFile,
    b"\x89PNG": PngImagePlugin.PngImageFile,
    b"II*\0": TiffImagePlugin.TiffImageFile,
    b"MM\0*": TiffImagePlugin.TiffImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
}
MAX_SIDE = 20_000  # [px]
MAX_PIXELS = 50_000_000  # a small file may claim any size, and unpacked take all memory


@from_content
def image_from_msg(msg: Any) -> RgbImage:
    """RGB image of a sensor_msgs Image or CompressedImage.

    A raw ``rgb8`` image is a read-only view of the message where it has no padding.

    Raises:
        DecodeError: if the encoding, the size or the data cannot be used.
    """
    return _decompress(msg) if hasattr(msg, "format") else _from_raw(msg)


@from_content
def usable_image(msg: Any, detectors: Iterable[Detector]) -> RgbImage:
    """RGB image of a message, of which the crop of each detector leaves something.

    Raises:
        DecodeError: if the image cannot be used.
    """
    image = image_from_msg(msg)
    try:
        for detector in detectors:
            detector.letterbox(image)
    except ValueError as error:
        raise DecodeError(str(error)) from error
    return image


def _from_raw(msg: Any) -> RgbImage:
    _check_size(msg.width, msg.height)
    if msg.encoding in PLANAR:
        return _from_planar(msg)
    if msg.encoding not in ENCODINGS:
        raise DecodeError(
            f"encoding is {msg.encoding!r}, expected one of {', '.join((*ENCODINGS, *PLANAR))}"
        )
    channels, depth, conversion = ENCODINGS[msg.encoding]
    pixels = _rows(msg, msg.height, msg.width * channels * depth)
    if depth == 2:
        pixels = pixels[:, (1 - int(bool(msg.is_bigendian))) :: 2]  # the high byte is enough
    image = pixels.reshape(msg.height, msg.width, channels)
    return image if conversion is None else _convert(image, conversion, msg.encoding)


def _check_size(width: int, height: int) -> None:
    if min(width, height) < 1 or max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise DecodeError(
            f"the image is {width}x{height} px, expected at least 1x1, at most {MAX_SIDE} to a "
            f"side and {MAX_PIXELS} in all"
        )


def _from_planar(msg: Any) -> RgbImage:
    """NV12, NV21: full luminance, then half as many rows of colour."""
    rows = _rows(msg, msg.height + msg.height // 2, msg.width)
    return _convert(rows, PLANAR[msg.encoding], msg.encoding)


def _rows(msg: Any, height: int, row_bytes: int) -> npt.NDArray[np.uint8]:
    """``(height, row_bytes)`` bytes without the padding at the end of each row."""
    step = int(msg.step)
    if step < row_bytes:
        raise DecodeError(
            f"step is {step}, expected at least {row_bytes} for {msg.encoding} of width {msg.width}"
        )
    data = np.frombuffer(msg.data, dtype=np.uint8)
    # The last row may come without its padding.
    if len(data) < step * (height - 1) + row_bytes:
        raise DecodeError(f"data has {len(data)} bytes, expected {step * height}")
    return np.lib.stride_tricks.as_strided(data, (height, row_bytes), (step, 1), writeable=False)


def _convert(image: npt.NDArray[np.uint8], conversion: int, encoding: str) -> RgbImage:
    try:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), conversion), dtype=np.uint8)
    except cv2.error as error:
        height, width = image.shape[:2]
        raise DecodeError(
            f"a {encoding} image of {width}x{height} px cannot be converted, "
            f"expected even sizes ({error.err})"
        ) from error


def _decompress(msg: Any) -> RgbImage:
    if "compressedDepth" in msg.format:
        raise DecodeError(f"format is {msg.format!r}, expected jpeg or png of a colour image")
    data = np.frombuffer(msg.data, dtype=np.uint8)
    if not len(data):
        raise DecodeError("data has 0 bytes, expected a jpeg or png file")
    _check_size(*_size_in_file(msg))
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(data, flags)
    except cv2.error as error:  # such as a header that claims more pixels than OpenCV takes
        raise DecodeError(f"data of format {msg.format!r} cannot be read ({error.err})") from error
    if image is None:
        raise DecodeError(
            f"data of format {msg.format!r} ({len(data)} bytes) is not an image, "
            "expected jpeg or png"
        )
    return np.asarray(image, dtype=np.uint8)


def _size_in_file(msg: Any) -> tuple[int, int]:
    """Width and height that the head of a file claims; OpenCV does not tell before it unpacks."""
    data = bytes(msg.data)
    reader = next((FILES[first] for first in FILES if data.startswith(first)), None)
    try:
        if reader is None:
            raise SyntaxError(f"it begins with {data[:4]!r}")
        width, height = reader(io.BytesIO(data)).size
    # SyntaxError is how Pillow names a broken head.
    except (OSError, SyntaxError, *CONTENT_ERRORS) as error:
        raise DecodeError(
            f"data of format {msg.format!r} ({len(data)} bytes) is not an image, expected jpeg or "
            f"png ({error})"
        ) from error
    return int(width), int(height)
