"""Containers of the camera side: image in, detections out."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

RgbImage = npt.NDArray[np.uint8]  # (height, width, 3), RGB order


def check_image(image: RgbImage, name: str = "image") -> None:
    """Refuse anything but an RGB image.

    Raises:
        ValueError: naming shape and dtype.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"{name} is {image.shape} {image.dtype}, expected (height, width, 3) uint8"
        )


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
