"""The own loss of each model: boxes for the detector, beams for the segmenter."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from conegrad_core.camera.stage import BOX_VALUES
from conegrad_core.camera.supervision import DetectionLoss
from conegrad_core.losses import beam_loss
from conegrad_data.errors import ReplayError
from conegrad_training.data.sample import OwnLabels, Sample
from conegrad_training.systems.system import TrainableSystem


class OwnLosses(nn.Module):
    """Detection loss of Ultralytics and per-beam cross-entropy, each on its model alone."""

    def __init__(self, system: TrainableSystem) -> None:
        super().__init__()
        self._detection_loss = DetectionLoss(system.perception.detector)

    def forward(self, system: TrainableSystem, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Mean terms ``box``, ``class``, ``distribution`` and ``beams`` of a batch, on the CPU.

        Raises:
            ReplayError: if a sample has no boxes or beam labels.
        """
        labels = [own_labels(sample) for sample in samples]
        terms = self._detection_loss(
            [sample.image for sample in samples], [label.boxes for label in labels]
        )
        segmented = system.perception.segmenter([sample.scan for sample in samples])
        beams = [
            beam_loss(scan.logits, label.beams, scan.ranges)
            for scan, label in zip(segmented, labels, strict=True)
        ]
        return {**terms, "beams": torch.stack(beams).mean()}


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
