"""Container of what is known of the attitude of single cones."""

from typing import NamedTuple

from torch import Tensor


class Standing(NamedTuple):
    """Whether the K detections of an image are cones that stand.

    Gradients flow to the logits.

    Attributes:
        logits: ``(K,)`` log odds that the cone stands; it lies otherwise.
    """

    logits: Tensor
