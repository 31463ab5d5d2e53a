"""Container of the colours of single cones."""

from typing import NamedTuple

from torch import Tensor


class ConeColours(NamedTuple):
    """Colours of the K detections of an image.

    Attributes:
        logits: ``(K, 4)`` in the order of :data:`conegrad_core.cones.CLASS_NAMES`; their softmax
            is the probability of each colour, given that it is a cone.
    """

    logits: Tensor
