"""Metrics of a system and of its parts on samples."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch

from conegrad_core.camera.image import Detections
from conegrad_core.fusion.selection import select_cones
from conegrad_evaluation.metrics.beams import BeamCounts, count_beams
from conegrad_evaluation.metrics.boxes import TrueBoxes, average_precisions
from conegrad_evaluation.metrics.evaluator import Evaluation, Evaluator
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_training.data.sample import Sample
from conegrad_training.systems.system import TrainableSystem

LOWEST_EXISTENCE = 0.02  # cones below are not worth a row in the curves
MIN_HEIGHT = 4.0  # boxes lower than this do not count [px]


class SystemMetrics(NamedTuple):
    """What a system and its parts reach.

    Attributes:
        system: metrics of the fused cones.
        boxes: average precision at IoU 0.5 by class; None without boxes to compare with.
        beams: counts of beams; None without labels to compare with.
    """

    system: Evaluation
    boxes: dict[str, float] | None
    beams: BeamCounts | None

    def headline(self) -> dict[str, float]:
        """The figures to compare runs by."""
        found = {
            "f1_colour": self.system.f1_colour,
            "f1": self.system.total.counts.f1,
            "precision": self.system.total.counts.precision,
            "recall": self.system.recall,
            "rmse": self.system.rmse,
        }
        if self.boxes is not None:
            found["mAP50"] = self.boxes["mean"]
        if self.beams is not None:
            found["beam_f1"] = self.beams.f1
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "headline": self.headline(),
            "system": self.system.to_dict(),
            "boxes": self.boxes,
            "beams": self.beams and self.beams.to_dict(),
        }


@torch.no_grad()
def measure(
    system: TrainableSystem, samples: Iterable[Sample], config: EvaluationConfig
) -> SystemMetrics:
    """Run the system as the car does and compare with the truth.

    Args:
        system: is left in evaluation mode.
        samples: with truth; box and beam metrics need labels in all of them.
        config: settings of the metrics.
    """
    system.eval()
    evaluator, beams = Evaluator(config), BeamCounts()
    found: list[Detections] = []
    boxes: list[TrueBoxes] = []
    for sample in samples:
        outputs = system.outputs([sample])[0]
        cones = select_cones(system.fuse(sample, outputs), LOWEST_EXISTENCE)
        evaluator.add(cones, sample.truth)
        if sample.labels is not None:
            found.append(outputs.detections)
            boxes.append(sample.labels.boxes)
            segmented = outputs.segmented
            beams = beams + count_beams(segmented.logits, sample.labels.beams, segmented.ranges)
    return SystemMetrics(
        evaluator.result(),
        average_precisions(found, boxes, min_height=MIN_HEIGHT) if boxes else None,
        beams if boxes else None,
    )
