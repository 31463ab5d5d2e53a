"""Containers of the keypoints of cones: as a network finds them, and as they are."""

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


class TrueKeypoints(NamedTuple):
    """True keypoints of the N standing cones of an image; cones that lie are left out.

    Attributes:
        boxes_xyxy: ``(N, 4)`` [px of the original image].
        positions: ``(N, 7, 2)`` (u, v), also of keypoints that are not visible [px of the original
            image].
        visible: ``(N, 7)`` bool, the keypoint is inside the image and not hidden.
        classes: ``(N,)`` int64 :class:`conegrad_core.cones.ConeClass`.
    """

    boxes_xyxy: Tensor
    positions: Tensor
    visible: Tensor
    classes: Tensor
