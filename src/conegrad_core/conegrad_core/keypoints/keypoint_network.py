"""The network that marks the keypoints of a cone in its crop."""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from conegrad_core.crops.network import CropNetwork, standardised
from conegrad_core.keypoints.cone_model import NAMES

WIDTHS = (16, 32, 64)  # channels at a half, a quarter and an eighth of the picture's size
LOWEST, HIGHEST = math.log(0.002), math.log(0.5)  # log deviation [sides of the window]
FIRST_DEVIATION = 0.1  # [sides of the window], of fresh weights


class Residual(nn.Module):
    """Two convolutions, added to their input.

    Without normalisation: statistics of a batch of few crops, all of one image, are not those of
    others, and statistics per crop cost more than the convolutions. Instead the second
    convolution starts at zero, so that fresh blocks pass their input on.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        for weight in self.second.parameters():
            nn.init.zeros_(weight)

    def forward(self, features: Tensor) -> Tensor:
        """``(K, width, H, W)`` to the same shape."""
        change: Tensor = self.second(torch.relu(self.first(features)))
        return torch.relu(features + change)


class KeypointNetwork(CropNetwork):
    """Positions and deviations of the seven keypoints in each crop.

    Architecture: an encoder down to an eighth of the size, a decoder back to a half with the
    features of the encoder added; per keypoint a heatmap, whose expectation is the position
    (Nibali et al., Numerical Coordinate Regression with Convolutional Neural Networks, 2018), and
    a map of log deviations, of which the heatmap takes the mean.
    """

    architecture: ClassVar[str] = "keypoint_cnn_16_32_64"
    part: ClassVar[str] = "keypoints"
    output_names: ClassVar[tuple[str, ...]] = ("positions", "log_deviations")

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.enter = nn.Conv2d(3, fine, 3, stride=2, padding=1)
        self.fine = Residual(fine)
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle = Residual(middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.coarse = Residual(coarse)
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.middle_again = Residual(middle)
        self.from_middle = nn.Conv2d(middle, fine, 1)
        self.fine_again = Residual(fine)
        self.head = nn.Conv2d(fine, 2 * len(NAMES), 1)
        self._start_head()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mark the keypoints; differentiable in weights and pictures.

        Args:
            pictures: ``(K, 3, S, S)`` RGB, 0 to 1; S is a multiple of 8.

        Returns:
            ``(K, 7, 2)`` positions (right, down), and ``(K, 7)`` natural logarithms of their
            standard deviations, both in sides of the window, from its left upper corner.
        """
        fine = self.fine(torch.relu(self.enter(standardised(pictures))))
        middle = self.middle(torch.relu(self.to_middle(fine)))
        coarse = self.coarse(torch.relu(self.to_coarse(middle)))
        middle = self.middle_again(middle + _doubled(self.from_coarse(coarse)))
        fine = self.fine_again(fine + _doubled(self.from_middle(middle)))
        return self._read(self.head(fine))

    def _read(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Expectations of ``(K, 14, H, W)`` maps."""
        rows, columns = maps.shape[-2:]
        logits, spreads = maps.flatten(2).split(len(NAMES), dim=1)
        heat = logits.softmax(dim=-1)
        places = heat @ _cell_places(rows, columns, maps)
        level = (heat * spreads).sum(dim=-1)
        return places, LOWEST + (HIGHEST - LOWEST) * torch.sigmoid(level)

    def _start_head(self) -> None:
        """Start at the middle of the picture with the deviation of a guess."""
        share = (math.log(FIRST_DEVIATION) - LOWEST) / (HIGHEST - LOWEST)
        level = math.log(share / (1 - share))
        nn.init.normal_(self.head.weight, std=0.01)
        self.head.bias = nn.Parameter(torch.tensor([0.0, level]).repeat_interleave(len(NAMES)))


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _cell_places(rows: int, columns: int, like: Tensor) -> Tensor:
    """``(rows * columns, 2)`` centres of the cells of a heatmap (right, down), 0 to 1."""
    down = (torch.arange(rows, device=like.device, dtype=like.dtype) + 0.5) / rows
    right = (torch.arange(columns, device=like.device, dtype=like.dtype) + 0.5) / columns
    grid = torch.stack(torch.meshgrid(right, down, indexing="xy"), dim=-1)
    return grid.flatten(0, 1)
