"""Attack ``image_pgd``: every level of the image may change by a little.

Projected gradient descent within the maximum norm (Madry et al., Towards Deep Learning Models
Resistant to Adversarial Attacks, ICLR 2018), by the gradient through the whole chain.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.camera.image import (
    MAX_LEVEL,
    ImageLevels,
    RgbImage,
    image_from_levels,
    levels_from_image,
)
from conegrad_evaluation.attacks.attack import Attack, Budget
from conegrad_evaluation.attacks.perturbation import Perturbation
from conegrad_evaluation.samples.sample import Sample

IMAGE = "Image"  # kind of port


class LevelChange(Perturbation):
    """A change of each level by at most ``radius``.

    Args:
        image: that is attacked.
        radius: in steps of 8 bits.
    """

    def __init__(self, image: RgbImage, radius: float) -> None:
        self._levels = levels_from_image(image)
        self.radius = radius
        self.leaf: Tensor = torch.zeros_like(self._levels)

    def randomize(self, draws: np.random.Generator) -> None:
        """Every level up or down by the whole budget."""
        signs = draws.integers(0, 2, size=tuple(self.leaf.shape), dtype=np.int8) * 2 - 1
        self.leaf = torch.from_numpy(signs).to(self._levels) * self.radius

    def start(self, draws: np.random.Generator) -> None:
        """Evenly anywhere in the budget."""
        change = draws.random(size=tuple(self.leaf.shape), dtype=np.float32)
        self.leaf = (torch.from_numpy(change) * 2 - 1) * self.radius

    def value(self) -> ImageLevels:
        """Levels with the change, cut at black and white."""
        return (self._levels + self.leaf).clamp(0, MAX_LEVEL)

    def delivered(self) -> RgbImage:
        """Of 8 bits, still within the budget."""
        whole = int(self.radius)
        return image_from_levels(self._levels + self.leaf.detach().round().clamp(-whole, whole))

    def ascend(self, gradient: Tensor, share: float) -> None:
        """A step of the same length for each level."""
        moved = self.leaf.detach() + share * self.radius * gradient.sign()
        self.leaf = moved.clamp(-self.radius, self.radius)


def _make(_: Sample, image: Any, budget: Budget, __: Any) -> Perturbation:
    return LevelChange(image, budget["eps"])


IMAGE_PGD = Attack(
    "image_pgd", IMAGE, "each level of the image changes by at most eps, in steps of 8 bits",
    [{"eps": 2.0}, {"eps": 4.0}, {"eps": 8.0}], {"eps": (1.0, 255.0)}, _make,
)  # fmt: skip
