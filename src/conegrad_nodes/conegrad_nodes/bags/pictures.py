"""Checks pictures that are imported as they are."""

from pathlib import Path

from conegrad_nodes.bags.types import BagError

IMAGE_FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}


def read_picture(path: Path, size: tuple[int, int] | None) -> bytes:
    """The bytes of an encoded picture.

    Args:
        path: JPEG or PNG.
        size: width and height that its intrinsics are for [px]; None if there are no intrinsics.

    Raises:
        BagError: if it is no picture, or has another size.
    """
    import PIL.Image

    try:
        with PIL.Image.open(path, formats=("JPEG", "PNG")) as picture:
            actual = picture.size
    except PIL.UnidentifiedImageError as error:
        raise BagError(f"{path} is neither JPEG nor PNG") from error
    if size is not None and actual != size:
        raise BagError(
            f"{path} has {actual[0]}x{actual[1]} pixels, the calibration is for {size[0]}x{size[1]}"
        )
    return path.read_bytes()
