"""The own loss of each model: boxes for the detector, beams for the segmenter."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from conegrad_core.camera.detector import Detector
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.losses import beam_loss
from conegrad_data.errors import ReplayError
from conegrad_evaluation.metrics.boxes import TrueBoxes
from conegrad_training.data.sample import OwnLabels, Sample
from conegrad_training.supervised.camera_batches import DetectionBatch
from conegrad_training.supervised.camera_training import GAINS, detection_losses
from conegrad_training.systems.system import TrainableSystem, segment_batch

BOX_VALUES = 5  # two corners and the colour
MIN_SIDE = 1.0  # [px of the input], boxes cut to less by the crop are no targets


class OwnLosses(nn.Module):
    """Detection loss of Ultralytics and per-beam cross-entropy, each on its model alone."""

    def __init__(self, system: TrainableSystem) -> None:
        super().__init__()
        from ultralytics.utils.loss import v8DetectionLoss

        network: Any = system.network
        network.args = SimpleNamespace(**GAINS)
        self._criterion = v8DetectionLoss(network)

    def forward(self, system: TrainableSystem, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Mean terms ``box``, ``class``, ``distribution`` and ``beams`` of a batch, on the CPU.

        Raises:
            ReplayError: if a sample has no boxes or beam labels.
        """
        labels = [own_labels(sample) for sample in samples]
        batch = detection_batch(system.perception.detector, samples, labels)
        engine: Any = system.perception.detector.engine
        terms = detection_losses(
            system.network, self._criterion, batch, use_bf16=engine.precision == "bf16"
        )
        segmented = segment_batch(system.perception.segmenter, [s.scan for s in samples])
        beams = [
            beam_loss(scan.logits, label.beams, scan.ranges)
            for scan, label in zip(segmented, labels, strict=True)
        ]
        on_cpu = {name: loss.cpu() for name, loss in terms.items()}
        return {**on_cpu, "beams": torch.stack(beams).mean()}


def own_labels(sample: Sample) -> OwnLabels:
    """The labels of a sample.

    Raises:
        ReplayError: if there are none.
    """
    if sample.labels is None:
        raise ReplayError(
            f"{sample.key} has no boxes and beam labels; individual training needs them: "
            "train on simulated samples, or choose a pattern of the end loss"
        )
    return sample.labels


def own_label_values(labels: OwnLabels, returns: Tensor) -> int:
    """Numbers a person had to give: 5 per box and 1 per beam with a return."""
    return BOX_VALUES * len(labels.boxes.classes) + int(returns.isfinite().sum())


def detection_batch(
    detector: Detector, samples: Sequence[Sample], labels: Sequence[OwnLabels]
) -> DetectionBatch:
    """Letterboxed images and their boxes as the loss of Ultralytics takes them."""
    size = (detector.config.input_width, detector.config.input_height)
    inputs, rows = [], []
    for place, (sample, label) in enumerate(zip(samples, labels, strict=True)):
        letterbox = detector.letterbox(sample.image)
        inputs.append(torch.from_numpy(letterbox.apply(sample.image)).permute(2, 0, 1))
        boxes = letterbox.boxes_to_input(label.boxes.boxes_xyxy.float())
        rows.append(_rows(TrueBoxes(boxes, label.boxes.classes), size, place))
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
