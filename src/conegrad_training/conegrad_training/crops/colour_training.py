"""Individual training of the colour classifier on simulated cones.

``python -m conegrad_training.crops.colour_training`` trains the weights that ship; a run that was
stopped goes on from its last checkpoint when it is started again.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from conegrad_core.colours.colour_network import ColourNetwork
from conegrad_core.colours.stage import ColourStage
from conegrad_core.cones import ConeClass
from conegrad_core.settings import setting
from conegrad_evaluation.metrics.colour_accuracy import ColourAccuracy
from conegrad_training.crops.cone_patches import ConePatch
from conegrad_training.crops.crop_evaluation import evaluation_batches, original_heights
from conegrad_training.crops.crop_training import CropData, CropTraining, CropTrainingConfig
from conegrad_training.supervised.network_training import train_network
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class ColourTrainingConfig(CropTrainingConfig):
    """Settings of the individual training of the colour classifier."""

    output: str = setting("runs/colour_cnn", "folder to write", short="-o")


class ColourTraining(CropTraining):
    """The colour classifier, on cones of known colour, standing or not."""

    stage = "classifier"
    pipeline = "camera_fork"
    title = "colour classifier"
    network_class = ColourNetwork
    stage_class = ColourStage
    weights_file = ColourStage.weights_file
    module = "conegrad_training.crops.colour_training"

    def chosen(self, patches: Sequence[ConePatch]) -> list[ConePatch]:
        """Cones of known colour."""
        return [patch for patch in patches if patch.label != ConeClass.UNKNOWN]

    @torch.no_grad()
    def evaluate(self, network: Any, data: CropData) -> dict[str, Any]:
        """Accuracy by class and by height of the box."""
        accuracy = ColourAccuracy()
        for patches, batch in evaluation_batches(data.unseen):
            (logits,) = network(batch.crops.pictures)
            classes = torch.tensor([patch.label for patch in patches])
            accuracy.add(logits, classes, original_heights(patches))
        return accuracy.to_dict()

    def headline(self, metrics: dict[str, Any]) -> dict[str, float]:
        """Accuracy over all cones."""
        return {"colour_accuracy": metrics["accuracy"]}


def train_colours(
    config: ColourTrainingConfig, tracking: TrackingConfig | None = None
) -> dict[str, Any]:
    """Train the colour classifier, as :func:`~.network_training.train_network` says."""
    return train_network(ColourTraining(config), tracking)


if __name__ == "__main__":
    from conegrad_training.engine.command_line import config_from_arguments

    logging.basicConfig(level=logging.INFO)
    settings = config_from_arguments(ColourTrainingConfig, sys.argv[1:])
    logging.getLogger(__name__).info("%s", train_colours(settings, TrackingConfig())["metrics"])
