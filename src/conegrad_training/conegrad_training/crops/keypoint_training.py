"""Individual training of the keypoint network on simulated cones.

``python -m conegrad_training.crops.keypoint_training`` trains the weights that ship; a run that
was stopped goes on from its last checkpoint when it is started again.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from conegrad_core.keypoints.keypoint_network import KeypointNetwork
from conegrad_core.keypoints.stage import KeypointStage, in_image
from conegrad_core.settings import setting
from conegrad_evaluation.metrics.keypoint_errors import KeypointErrors
from conegrad_training.crops.cone_patches import ConePatch
from conegrad_training.crops.crop_batches import CropBatch
from conegrad_training.crops.crop_evaluation import evaluation_batches, original_heights
from conegrad_training.crops.crop_training import CropData, CropTraining, CropTrainingConfig
from conegrad_training.supervised.network_training import train_network
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class KeypointTrainingConfig(CropTrainingConfig):
    """Settings of the individual training of the keypoint network."""

    output: str = setting("runs/keypoint_cnn", "folder to write", short="-o")


class KeypointTraining(CropTraining):
    """The keypoint network, on cones that stand."""

    stage = "keypoints"
    pipeline = "camera_keypoints"
    title = "keypoint network"
    network_class = KeypointNetwork
    stage_class = KeypointStage
    weights_file = KeypointStage.weights_file
    module = "conegrad_training.crops.keypoint_training"

    def chosen(self, patches: Sequence[ConePatch]) -> list[ConePatch]:
        """Cones that stand."""
        return [patch for patch in patches if patch.stands]

    def evaluate(self, network: Any, data: CropData) -> dict[str, Any]:
        """Errors of the keypoints that are visible, and of those that are hidden."""
        errors = {"visible": KeypointErrors(), "hidden": KeypointErrors()}
        for patches, batch in evaluation_batches(data.unseen):
            _collect(network, patches, batch, errors)
        return {name: found.to_dict() for name, found in errors.items()}

    def headline(self, metrics: dict[str, Any]) -> dict[str, float]:
        """Median error as a share of the cone's height, and the calibration of the deviations."""
        visible = metrics["visible"]
        return {"keypoint_error": visible["median"], "calibration": visible["calibration"]}


@torch.no_grad()
def _collect(
    network: Any, patches: Sequence[ConePatch], batch: CropBatch, errors: dict[str, KeypointErrors]
) -> None:
    positions, log_deviations = network(batch.crops.pictures)
    found = in_image(positions, log_deviations, batch.crops.windows_xyxy)
    truth = batch.labels["keypoints"]
    seen = torch.stack([torch.from_numpy(patch.visible) for patch in patches])
    heights = original_heights(patches)
    errors["visible"].add(found, truth.positions, seen, heights)
    errors["hidden"].add(found, truth.positions, truth.visible & ~seen, heights)


def train_keypoints(
    config: KeypointTrainingConfig, tracking: TrackingConfig | None = None
) -> dict[str, Any]:
    """Train the keypoint network, as :func:`~.network_training.train_network` says."""
    return train_network(KeypointTraining(config), tracking)


if __name__ == "__main__":
    from conegrad_training.engine.command_line import config_from_arguments

    logging.basicConfig(level=logging.INFO)
    settings = config_from_arguments(KeypointTrainingConfig, sys.argv[1:])
    logging.getLogger(__name__).info("%s", train_keypoints(settings, TrackingConfig())["metrics"])
