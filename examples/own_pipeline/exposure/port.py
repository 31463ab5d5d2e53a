"""Port type ``Exposure``: what flows from the meter to the calibration."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.pipeline.port import TuplePort


class Exposure(NamedTuple):
    """How an image is exposed.

    Attributes:
        level: ``()`` mean luminance, in [0, 1].
        clipped: ``()`` share of pixels that are black or white, in [0, 1].
    """

    level: Tensor
    clipped: Tensor


EXPOSURE = TuplePort("Exposure", Exposure, {"level": (), "clipped": ()})
