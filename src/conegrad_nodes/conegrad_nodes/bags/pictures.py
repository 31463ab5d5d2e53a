"""Checks pictures that are imported as they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import PIL.Image

from conegrad_nodes.bags.types import BagError

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.geometry.camera import CameraModel

IMAGE_FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}


def check_picture(path: Path, camera: "CameraModel | None") -> None:
    """Refuse what is no picture, or has another size than the calibration is for.

    Args:
        path: of the file, of which the head alone is read.
        camera: that took it; None if nothing is known of it.

    Raises:
        BagError: naming the file.
    """
    from conegrad_core.geometry.camera import check_image_size

    try:
        with PIL.Image.open(path, formats=("JPEG", "PNG")) as picture:
            width, height = picture.size
    except (OSError, SyntaxError) as error:
        raise BagError(f"{path} cannot be read as a picture ({error})") from error
    if camera is None:
        return
    try:
        check_image_size(camera, width, height)
    except ValueError as error:
        raise BagError(f"{path}: {error}") from error
