"""Container of the pictures of single cones."""

from typing import NamedTuple

from torch import Tensor


class Crops(NamedTuple):
    """Square pictures of the K detections of an image, at the camera's full resolution.

    Gradients flow to both tensors.

    Attributes:
        pictures: ``(K, 3, S, S)`` RGB, 0 to 1; grey outside the image.
        windows_xyxy: ``(K, 4)`` part of the original image that each picture shows: left, top,
            right, bottom [px]; 0 is the middle of the first pixel.
    """

    pictures: Tensor
    windows_xyxy: Tensor
