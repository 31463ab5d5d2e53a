"""Batches for the networks over crops: a pure function of seed and step, so that runs resume."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from conegrad_core.camera.image import TrueBoxes
from conegrad_core.crops.crops import Crops
from conegrad_core.crops.cutting import cut_crops, windows_around
from conegrad_core.keypoints.keypoints import TrueKeypoints
from conegrad_training.crops.cone_patches import ConePatch
from conegrad_training.crops.patch_augmentation import jittered_boxes, varied_patch

CROPS_PER_CONE = 2
SPACING = 2048.0  # [px] between the corners of patches


class CropBatch(NamedTuple):
    """Crops of cones with their labels, as if all patches lay beside each other in one image.

    Attributes:
        crops: of a few boxes around each cone.
        labels: by kind, ``keypoints`` and ``cone_colours``; a row per cone.
    """

    crops: Crops
    labels: dict[str, Any]


class CropBatches(Dataset[CropBatch]):
    """The batch of each step.

    Args:
        patches: drawn from at random.
        seed: of the draws, together with the step.
        cones: per step.
        steps: number of steps.
    """

    def __init__(self, patches: Sequence[ConePatch], *, seed: int, cones: int, steps: int) -> None:
        self.patches, self.seed, self.cones, self.steps = patches, seed, cones, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> CropBatch:
        rng = np.random.default_rng((self.seed, step))
        chosen = rng.integers(len(self.patches), size=self.cones)
        patches = [varied_patch(self.patches[int(index)], rng) for index in chosen]
        return crop_batch(patches, CROPS_PER_CONE, rng)


def crop_batch(patches: Sequence[ConePatch], count: int, rng: np.random.Generator) -> CropBatch:
    """Crops of patches.

    Args:
        patches: of one cone each.
        count: crops of each.
        rng: source of the boxes.
    """
    parts = [cut_crops(p.image, torch.from_numpy(jittered_boxes(p, count, rng))) for p in patches]
    places = _places(len(patches))
    windows = torch.stack([part.windows_xyxy for part in parts]) + places.repeat(1, 2)[:, None]
    crops = Crops(torch.cat([part.pictures for part in parts]), windows.flatten(0, 1))
    keypoints = true_keypoints(patches, places)
    boxes = TrueBoxes(keypoints.boxes_xyxy, keypoints.classes)
    return CropBatch(crops, {"keypoints": keypoints, "cone_colours": boxes})


def true_keypoints(patches: Sequence[ConePatch], places: Tensor) -> TrueKeypoints:
    """Keypoints of the cones of patches.

    Those behind other things count as well where the window of the true box shows their place:
    the simulator knows it, and the network learns how unsure it has to be of them.

    Args:
        patches: N, of one cone each.
        places: ``(N, 2)`` left upper corners of the patches [px].
    """
    boxes = torch.from_numpy(np.stack([patch.box_xyxy for patch in patches]))
    positions = torch.from_numpy(np.stack([patch.keypoints for patch in patches]))
    window = windows_around(boxes)[:, None]
    inside = ((positions > window[..., :2]) & (positions < window[..., 2:])).all(dim=-1)
    classes = torch.tensor([patch.label for patch in patches])
    shifted = boxes + places.repeat(1, 2)
    return TrueKeypoints(shifted, positions + places[:, None], inside, classes)


def _places(count: int) -> Tensor:
    """``(count, 2)`` corners of patches, so far apart that no window reaches another patch."""
    numbers, columns = torch.arange(count), max(1, round(count**0.5))
    return SPACING * torch.stack([numbers % columns, numbers // columns], dim=-1).float()
