"""Container of the keypoints of cones."""

from typing import NamedTuple

from torch import Tensor


class Keypoints(NamedTuple):
    """Keypoints of the K detections of an image, in the order of :data:`~.cone_model.NAMES`.

    Gradients flow to both tensors.

    Attributes:
        positions: ``(K, 7, 2)`` (u, v) [px of the original image].
        log_deviations: ``(K, 7)`` natural logarithm of the standard deviation of each coordinate
            [px of the original image].
    """

    positions: Tensor
    log_deviations: Tensor
