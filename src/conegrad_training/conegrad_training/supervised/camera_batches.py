"""Batches of the detection loss: a pure function of seed and step, so that a run can resume."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from conegrad_core.camera.supervision import DetectionBatch
from conegrad_training.supervised.camera_crops import LabelledImage, random_crop, varied, whole

FULL_PER_BATCH = 4  # a full 640x384 frame has as many pixels as four 320x192 crops


class CropBatches(Dataset[DetectionBatch]):
    """The batch of each step: crops at first, whole frames at the end.

    Args:
        frames: drawn from at random.
        seed: of the draws, together with the step.
        batch: crops per step; a step on whole frames takes a quarter.
        size: width and height of a crop [px].
        whole_from: first step on whole frames.
        steps: number of steps.
    """

    def __init__(
        self,
        frames: Sequence[LabelledImage],
        *,
        seed: int,
        batch: int,
        size: tuple[int, int],
        whole_from: int,
        steps: int,
    ) -> None:
        self.frames, self.seed, self.batch, self.size = frames, seed, batch, size
        self.whole_from, self.steps = whole_from, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> DetectionBatch:
        rng = np.random.default_rng((self.seed, step))
        crops = step < self.whole_from
        count = self.batch if crops else max(1, self.batch // FULL_PER_BATCH)
        chosen = [self.frames[int(index)] for index in rng.integers(len(self.frames), size=count)]
        images = [random_crop(f, self.size, rng) if crops else whole(f) for f in chosen]
        return collate([varied(image, rng) for image in images])


def collate(images: Sequence[LabelledImage]) -> DetectionBatch:
    """Stack images of one size and list their boxes."""
    height, width = images[0].image.shape[:2]
    boxes = torch.from_numpy(np.concatenate([image.boxes_xyxy for image in images])).float()
    counts = torch.tensor([len(image.classes) for image in images])
    corners = boxes / torch.tensor([width, height] * 2)
    low, high = corners[:, :2], corners[:, 2:]
    inputs = torch.from_numpy(np.stack([image.image for image in images])).permute(0, 3, 1, 2)
    return DetectionBatch(
        inputs,
        torch.arange(len(images)).repeat_interleave(counts).float(),
        torch.from_numpy(np.concatenate([image.classes for image in images])).float(),
        torch.cat([(low + high) / 2, high - low], 1),
    )
