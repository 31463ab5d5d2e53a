"""Port type ``Brightness``."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.pipeline.port import TuplePort


class Brightness(NamedTuple):
    """How bright an image is: ``()`` in [0, 1]."""

    level: Tensor


BRIGHTNESS = TuplePort("Brightness", Brightness, {"level": ()}, differentiable=("level",))
