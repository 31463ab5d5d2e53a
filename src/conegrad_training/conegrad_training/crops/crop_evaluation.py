"""Crops that networks are evaluated on: one of each cone, by boxes as a detector finds them."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from conegrad_training.crops.cone_patches import ConePatch
from conegrad_training.crops.crop_batches import CropBatch, crop_batch

CONES = 128  # per batch
SEED = 0xE7A1  # of the boxes


def evaluation_batches(
    patches: Sequence[ConePatch],
) -> Iterator[tuple[Sequence[ConePatch], CropBatch]]:
    """Cones with a crop of each, the same ones whenever it is called."""
    rng = np.random.default_rng(SEED)
    for start in range(0, len(patches), CONES):
        chosen = patches[start : start + CONES]
        yield chosen, crop_batch(chosen, 1, rng)


def original_heights(patches: Sequence[ConePatch]) -> Tensor:
    """``(K,)`` heights of the boxes in the images that the patches are from [px]."""
    heights = [(patch.box_xyxy[3] - patch.box_xyxy[1]) / patch.scale for patch in patches]
    return torch.tensor(np.array(heights, dtype=np.float32))
