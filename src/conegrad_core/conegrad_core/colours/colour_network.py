"""The network that tells the colour of a cone from its crop."""

import itertools
from typing import ClassVar

import torch
from torch import Tensor, nn

from conegrad_core.cones import CLASS_NAMES
from conegrad_core.crops.network import CropNetwork, standardised

WIDTHS = (16, 32, 48)  # channels at a half, a quarter and an eighth of the picture's size


class ColourNetwork(CropNetwork):
    """Class logits of each crop.

    Architecture: three convolutions with stride 2, and a linear layer over the mean and the
    maximum of what they find. Like the keypoint network it has no normalisation of features.
    """

    architecture: ClassVar[str] = "colour_cnn_16_32_48"
    part: ClassVar[str] = "colours"
    output_names: ClassVar[tuple[str, ...]] = ("logits",)
    outputs: ClassVar[int] = len(CLASS_NAMES)

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *WIDTHS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1)
            for before, after in itertools.pairwise(channels)
        )
        self.head = nn.Linear(2 * WIDTHS[-1], self.outputs)

    def forward(self, pictures: Tensor) -> tuple[Tensor]:
        """``(K, 3, S, S)`` RGB, 0 to 1, to ``(K, 4)`` logits; differentiable in both."""
        features = standardised(pictures)
        for convolution in self.convolutions:
            features = torch.relu(convolution(features))
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=-1)
        return (self.head(pooled),)
