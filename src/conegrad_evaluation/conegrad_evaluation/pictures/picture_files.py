"""Finds and reads pictures."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from conegrad_core.camera.image import RgbImage

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class PictureError(ValueError):
    """No pictures, or one that cannot be read; names the file."""


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Files of pictures: those given, and those in folders that are given, by name.

    Raises:
        FileNotFoundError: if a path does not exist.
        PictureError: if a folder holds no picture.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise PictureError(f"{path} holds no pictures ({', '.join(SUFFIXES)})")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(f"{path} does not exist, expected a picture or a folder")
    return list(dict.fromkeys(found))


def read_picture(path: Path) -> RgbImage:
    """``(height, width, 3)`` RGB, turned as the camera says it was held.

    Raises:
        PictureError: if the file is no picture.
    """
    try:
        content = np.fromfile(path, dtype=np.uint8)  # cv2.imread knows no path with other letters
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    except (OSError, cv2.error) as error:
        raise PictureError(f"{path} cannot be read: {error}") from error
    if image is None:
        raise PictureError(f"{path} cannot be read as a picture, expected JPEG, PNG or the like")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
