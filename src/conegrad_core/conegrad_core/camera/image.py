"""Containers of the camera side: image in, detections out."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

RgbImage = npt.NDArray[np.uint8]  # (height, width, 3), RGB order
ImageLevels = Tensor  # (height, width, 3) float, 0 to 255: an image with a gradient
MAX_LEVEL = 255


def check_image(image: RgbImage | ImageLevels, name: str = "image") -> None:
    """Refuse anything but an RGB image, or one with a gradient.

    Raises:
        ValueError: naming shape and dtype.
    """
    is_kind = image.is_floating_point() if isinstance(image, Tensor) else image.dtype == np.uint8
    if image.ndim != 3 or image.shape[2] != 3 or not is_kind:
        raise ValueError(
            f"{name} is {tuple(image.shape)} {image.dtype}, expected (height, width, 3) uint8"
        )


def levels_from_image(image: RgbImage) -> ImageLevels:
    """``(height, width, 3)`` float32 levels of an image, which can have a gradient."""
    return torch.from_numpy(np.ascontiguousarray(image)).float()


def image_from_levels(levels: ImageLevels) -> RgbImage:
    """The image of 8 bits that is nearest to some levels."""
    rounded = levels.detach().round().clamp(0, MAX_LEVEL).to(torch.uint8)
    image: RgbImage = rounded.cpu().numpy()
    return image


class Detections(NamedTuple):
    """Cone candidates of one image (K rows), one per cone after suppression, best first.

    Attributes:
        boxes_xyxy: ``(K, 4)`` left, top, right, bottom [px of the original image].
        logits: ``(K, 4)`` class logits in the order of :data:`conegrad_core.cones.CLASS_NAMES`;
            ``score = sigmoid(logit)`` per class, independent of each other.
    """

    boxes_xyxy: Tensor
    logits: Tensor


class TrueBoxes(NamedTuple):
    """Annotated boxes of one image (N rows).

    Attributes:
        boxes_xyxy: ``(N, 4)`` [px of the original image].
        classes: ``(N,)`` int64 :class:`conegrad_core.cones.ConeClass`; boxes of class UNKNOWN
            count neither as found nor as missed.
    """

    boxes_xyxy: Tensor
    classes: Tensor


class TrueStanding(NamedTuple):
    """Boxes of the N cones of an image, and which of them stand.

    Attributes:
        boxes_xyxy: ``(N, 4)`` [px of the original image].
        stands: ``(N,)`` bool; a cone that does not has fallen over.
    """

    boxes_xyxy: Tensor
    stands: Tensor
