"""The network that tells from its crop whether a cone stands."""

from typing import ClassVar

from torch import Tensor

from conegrad_core.colours.colour_network import ColourNetwork


class StandingNetwork(ColourNetwork):
    """The network of the colours with one output."""

    architecture: ClassVar[str] = "standing_cnn_16_32_48"
    part: ClassVar[str] = "standing"
    outputs: ClassVar[int] = 1

    def forward(self, pictures: Tensor) -> tuple[Tensor]:
        """``(K, 3, S, S)`` RGB, 0 to 1, to ``(K,)`` log odds; differentiable in both."""
        (logits,) = super().forward(pictures)
        return (logits[:, 0],)
