"""Supervised loss of the detector: that of Ultralytics, on annotated boxes."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from conegrad_core.camera.detector import Detector
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.head import head_outputs
from conegrad_core.camera.image import RgbImage, TrueBoxes
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.engines.errors import EngineError

GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}  # weights of the loss terms, as in Ultralytics
TERMS = ("box", "class", "distribution")
MIN_SIDE = 1.0  # [px of the input], boxes cut to less by the crop are no targets


class DetectionBatch(NamedTuple):
    """Images and boxes as the loss of Ultralytics takes them (N boxes in all).

    Attributes:
        inputs: ``(B, 3, H, W)`` uint8 RGB.
        batch_idx: ``(N,)`` image of each box.
        cls: ``(N,)`` class of each box.
        bboxes: ``(N, 4)`` centre and size as fractions of width and height.
    """

    inputs: Tensor
    batch_idx: Tensor
    cls: Tensor
    bboxes: Tensor


def detection_criterion(network: Any) -> Any:
    """The loss of Ultralytics for a network, whose ``args`` it sets."""
    from ultralytics.utils.loss import v8DetectionLoss

    network.args = SimpleNamespace(**GAINS)
    return v8DetectionLoss(network)


def detection_losses(
    network: nn.Module, criterion: Any, batch: DetectionBatch, use_bf16: bool = False
) -> dict[str, Tensor]:
    """Box, class and distribution loss of a batch, per image, where the network is."""
    device = next(network.parameters()).device
    inputs = batch.inputs.to(device, torch.float32, memory_format=torch.channels_last) / 255
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=use_bf16):
        outputs = head_outputs(network, inputs)
    outputs |= {name: outputs[name].float() for name in ("boxes", "scores")}
    targets = {name: getattr(batch, name) for name in ("batch_idx", "cls", "bboxes")}
    total, _ = criterion(outputs, targets)
    parts: Tensor = total / len(inputs)
    return dict(zip(TERMS, parts, strict=True))


class DetectionLoss:
    """The loss of one detector, on images of any size as the detector letterboxes them.

    Raises:
        EngineError: if the detector does not run on torch.
    """

    def __init__(self, detector: Detector) -> None:
        engine = detector.engine
        if not isinstance(engine, TorchEngine):
            found = type(engine).__name__
            raise EngineError(f"{found} has no gradient, expected engine 'torch'")
        self._detector, self._engine = detector, engine
        self._criterion = detection_criterion(engine.network)

    def __call__(
        self, images: Sequence[RgbImage], truths: Sequence[TrueBoxes]
    ) -> dict[str, Tensor]:
        """Mean terms ``box``, ``class`` and ``distribution``, on the CPU."""
        batch = detection_batch(self._detector, images, truths)
        use_bf16 = self._engine.precision == "bf16"
        terms = detection_losses(self._engine.network, self._criterion, batch, use_bf16)
        return {name: loss.cpu() for name, loss in terms.items()}


def detection_batch(
    detector: Detector, images: Sequence[RgbImage], truths: Sequence[TrueBoxes]
) -> DetectionBatch:
    """Letterboxed images and their boxes as the loss of Ultralytics takes them."""
    size = (detector.config.input_width, detector.config.input_height)
    inputs, rows = [], []
    for place, (image, truth) in enumerate(zip(images, truths, strict=True)):
        letterbox = detector.letterbox(image)
        inputs.append(torch.from_numpy(letterbox.apply(image)).permute(2, 0, 1))
        boxes = letterbox.boxes_to_input(truth.boxes_xyxy.float())
        rows.append(_rows(TrueBoxes(boxes, truth.classes), size, place))
    table = torch.cat(rows)
    return DetectionBatch(torch.stack(inputs), table[:, 0], table[:, 1], table[:, 2:])


def _rows(boxes: TrueBoxes, size: tuple[int, int], place: int) -> Tensor:
    """``(N, 6)`` image, class, centre and size as fractions of the boxes inside the input."""
    scale = torch.tensor([*size, *size], dtype=torch.float32)
    corners = torch.minimum(boxes.boxes_xyxy.clamp(min=0), scale)
    sides = corners[:, 2:] - corners[:, :2]
    kept = (sides >= MIN_SIDE).all(dim=-1) & (boxes.classes < len(CLASS_NAMES))
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    head = torch.stack([torch.full((len(kept),), float(place)), boxes.classes.float()], dim=-1)
    return torch.cat([head, torch.cat([centres, sides], dim=-1) / scale], dim=-1)[kept]
