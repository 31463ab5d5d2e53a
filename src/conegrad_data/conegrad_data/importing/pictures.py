"""Checks pictures that are imported as they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import JpegImagePlugin, PngImagePlugin

from conegrad_data.bags.types import BagError

if TYPE_CHECKING:  # importing torch takes seconds
    from conegrad_core.geometry.camera import CameraModel

IMAGE_FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}


# First bytes of a file -> its reader in Pillow. Not Image.open: Ultralytics, once imported,
# replaces it, and installs packages where a file is not a picture.
READERS: dict[bytes, Any] = {
    b"\xff\xd8": JpegImagePlugin.JpegImageFile,
    b"\x89PNG": PngImagePlugin.PngImageFile,
}


def check_picture(path: Path, camera: "CameraModel | None") -> None:
    """Refuse what is not a picture, or has another size than the calibration is for.

    Args:
        path: of the file, of which the head alone is read.
        camera: that took it; None if nothing is known of it.

    Raises:
        BagError: naming the file.
    """
    from conegrad_core.geometry.camera import check_image_size

    try:
        width, height = _size(path)
    except (OSError, SyntaxError) as error:
        raise BagError(f"{path} cannot be read as a picture ({error})") from error
    if camera is None:
        return
    try:
        check_image_size(camera, width, height)
    except ValueError as error:
        raise BagError(f"{path}: {error}") from error


def _size(path: Path) -> tuple[int, int]:
    """Width and height by the head of a file; raises what Pillow does for what is not a picture."""
    with path.open("rb") as file:
        first = file.read(4)
        reader = next((READERS[start] for start in READERS if first.startswith(start)), None)
        if reader is None:
            raise SyntaxError(f"it begins with {first!r}, expected JPEG or PNG")
        file.seek(0)
        width, height = reader(file).size
    return int(width), int(height)
