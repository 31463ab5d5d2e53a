"""What every engine offers: raw detections of letterboxed images."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from conegrad_core.camera.head import RawDetections
from conegrad_core.camera.image import RgbImage
from conegrad_core.engines.errors import EngineError as EngineError

MIN_SCORE = 1e-6  # scores of foreign files are kept off 0 and 1, so that logits stay finite


class Engine(nn.Module, ABC):
    """Runs one network.

    Attributes:
        input_size: width and height the file is fixed to [px]; None where any size runs.
    """

    input_size: tuple[int, int] | None = None

    @abstractmethod
    def infer(self, images: Sequence[RgbImage]) -> RawDetections:
        """Raw detections of B letterboxed images ``(H, W, 3)`` of one size."""


class ExportedEngine(Engine):
    """Engine of a file exported for one image of a fixed size; it has no gradient.

    Args:
        order: for each class of the core, its index in the file.
    """

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self._order = list(order)

    def infer(self, images: Sequence[RgbImage]) -> RawDetections:
        """Raw detections of B letterboxed images ``(H, W, 3)``, one after the other.

        Raises:
            EngineError: in training mode.
        """
        if self.training:
            raise EngineError(f"{type(self).__name__} has no gradient, expected engine 'torch'")
        parts = [self.infer_one(pixels) for pixels in images]
        if len(parts) == 1:
            return parts[0]
        boxes, logits = (torch.cat(values) for values in zip(*parts, strict=True))
        return RawDetections(boxes, logits)

    @abstractmethod
    def infer_one(self, pixels: RgbImage) -> RawDetections:
        """Raw detections (B = 1) of a letterboxed image ``(H, W, 3)``."""

    def raw(self, outputs: Sequence[Tensor]) -> RawDetections:
        """Raw detections of one run: our two outputs, or one with scores (Ultralytics)."""
        boxes, logits = outputs if len(outputs) == 2 else _split_scores(outputs[0])
        if self._order != sorted(self._order):
            logits = logits[..., self._order]
        return RawDetections(boxes, logits)


def float_planes(pixels: RgbImage) -> npt.NDArray[np.float32]:
    """Input ``(1, 3, H, W)`` in 0..1 of a file exported by Ultralytics."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    scaled: npt.NDArray[np.float32] = np.divide(planes, 255, dtype=np.float32)
    return scaled


def _split_scores(output: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes xyxy and logits of ``(1, 4 + classes, A)``: centre, size, scores."""
    centres, sizes, scores = output.mT.split([2, 2, output.shape[1] - 4], -1)
    boxes = torch.cat([centres - sizes / 2, centres + sizes / 2], -1)
    return boxes, scores.clamp(MIN_SCORE, 1 - MIN_SCORE).logit()


def check_output_shapes(shapes: Sequence[Sequence[int]], classes: int, source: str) -> None:
    """Refuse a file whose outputs are neither ours nor those of an Ultralytics detector.

    Raises:
        ValueError: naming the file, its outputs and those expected.
    """
    found = [tuple(shape) for shape in shapes]
    ours = len(found) == 2 and found[0][-1] == 4 and found[1][-1] == classes
    foreign = len(found) == 1 and len(found[0]) == 3 and found[0][1] == 4 + classes
    if not (ours or foreign):
        expected = f"[(1, A, 4), (1, A, {classes})] or [(1, {4 + classes}, A)]"
        raise ValueError(f"{source} has outputs of shape {found}, expected {expected}")
