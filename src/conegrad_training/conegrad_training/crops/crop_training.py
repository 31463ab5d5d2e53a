"""Individual training of the networks over crops: keypoints and colours of single cones."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from conegrad_core.crops.network import CropModel, load_crop_model
from conegrad_core.crops.network_stage import CropNetworkConfig, CropNetworkStage
from conegrad_core.processes.worker_process import read_ahead, start_forked
from conegrad_core.settings import Config, setting
from conegrad_core.weights import save_weights
from conegrad_simulation.scene.world import LEVELS
from conegrad_training.crops.cone_patches import MIXED, ConePatch
from conegrad_training.crops.crop_batches import CropBatch, CropBatches
from conegrad_training.crops.patch_store import simulated_patches
from conegrad_training.engine.checkpoint import TrainingState
from conegrad_training.supervised.camera_data import EVALUATION_SEED
from conegrad_training.supervised.network_training import (
    SHIPPED,
    NetworkTraining,
    one_cycle_state,
    update_weights,
    warm_average,
)
from conegrad_training.tracking.model_card import git_revision, training_command, write_card

MAX_GRAD_NORM = 5.0
SEEDS_PER_RUN = 1_000_000  # training seeds of neighbouring run seeds stay apart


@dataclass(frozen=True)
class CropTrainingConfig(Config):
    """Settings of the individual training of a network over crops."""

    output: str = setting("runs/crops", "folder to write", short="-o")
    cones_folder: str = setting("runs/cones", "Folder that keeps the rendered cones")
    level: str = setting("mixed", "Variety of simulated frames", choices=(*LEVELS, MIXED))
    images: int = setting(
        400,
        "Simulated frames to train on",
        low=1,
        option="--frames",
        aliases=("images",),
    )
    weights: str = setting("", "Weights to start from: shipped, or a file; empty: random ones")
    steps: int = setting(2000, "Optimizer steps", low=1)
    batch: int = setting(32, "Cones per step, two crops of each", low=1)
    learning_rate: float = setting(2e-3, "Peak of the one-cycle schedule", low=0.0)
    weight_decay: float = setting(0.01, "Decay of the weights (AdamW)", low=0.0)
    averaging: float = setting(0.99, "Decay of the moving average of the weights", low=0.0, high=1)
    seed: int = setting(1, "Seed of weights, images and crops", low=0, high=800)
    workers: int = setting(1, "Processes that render images", low=1)
    threads: int = setting(1, "Threads of torch; more than idle cores slow it down", low=1)
    evaluation_images: int = setting(
        100,
        "Unseen frames of the evaluation",
        low=1,
        option="--evaluation-frames",
        aliases=("evaluation_images",),
    )
    checkpoint_every: int = setting(100, "Steps between two checkpoints", low=1)


class CropData(NamedTuple):
    """Cones of a training.

    Attributes:
        description: of what is learned from, for the card.
        training: to learn from.
        unseen: kept aside.
    """

    description: str
    training: Sequence[ConePatch]
    unseen: Sequence[ConePatch]


class CropTraining(NetworkTraining[CropData]):
    """The training of a network over crops.

    Attributes:
        stage_class: of the network; its supervised loss is what is learned from.
        module: that is run to repeat a training.
    """

    stage_class: ClassVar[type[CropNetworkStage]]
    module: ClassVar[str]
    free = ("output", "cones_folder", "workers", "threads", "checkpoint_every")
    config: CropTrainingConfig

    @abstractmethod
    def chosen(self, patches: Sequence[ConePatch]) -> list[ConePatch]:
        """Those of the cones that have a label for the network."""

    def data(self) -> CropData:
        """Cones of simulated images, rendered once and kept on disk."""
        config = self.config

        def patches(seed: int, images: int) -> list[ConePatch]:
            folder = Path(config.cones_folder)
            return self.chosen(
                simulated_patches(folder, config.level, seed, images, config.workers)
            )

        training = patches(config.seed * SEEDS_PER_RUN, config.images)
        unseen = patches(EVALUATION_SEED, config.evaluation_images)
        if not training or not unseen:
            raise ValueError(
                f"{config.images} and {config.evaluation_images} images of level {config.level} "
                f"hold {len(training)} and {len(unseen)} cones, expected some: take more images"
            )
        described = f"{len(training)} cones of {config.images} simulated images"
        return CropData(described, training, unseen)

    def fresh_state(self) -> TrainingState:
        """Random weights, or those of the settings."""
        config, network = self.config, self.stage_class.network_class()
        if config.weights:
            path = "" if config.weights == SHIPPED else config.weights
            network = load_crop_model(network, path).network
        network = network.to(memory_format=torch.channels_last)  # a third faster on a CPU
        average = warm_average(config.averaging)
        return one_cycle_state(network, network.parameters(), config, 0.1, average)

    def steps(self, state: TrainingState, data: CropData, start: int) -> Iterator[dict[str, float]]:
        """Run the optimizer steps from ``start`` on, yielding the losses of each."""
        config = self.config
        batches = CropBatches(
            data.training, seed=config.seed, cones=config.batch, steps=config.steps
        )
        remaining = Subset(batches, range(start, config.steps))
        loader = DataLoader(remaining, batch_size=None, num_workers=1, worker_init_fn=start_forked)
        stage = self.stage_class(CropNetworkConfig(engine="torch"), CropModel(state.model))  # type: ignore[arg-type]
        for batch in read_ahead(loader):
            yield train_step(state, stage, batch)

    def publish(
        self, network: Any, data: CropData, before: dict[str, Any], after: dict[str, Any]
    ) -> dict[str, Any]:
        """Write weights and card."""
        weights = Path(self.config.output) / self.weights_file
        card: dict[str, Any] = {
            "command": training_command(self.module, self.config),
            "data": data.description,
            "settings": self.settings,
            "git_revision": git_revision(),
            "metrics": ({"before": before} if before else {}) | after,
        }
        extra = {name: json.dumps(value) for name, value in card.items()}
        save_weights(network, weights, network.architecture, extra)
        card["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
        title = f"{self.title.capitalize()} `{network.architecture}`"
        write_card(weights.with_suffix(""), title, card)
        return card


def train_step(state: TrainingState, stage: CropNetworkStage, batch: CropBatch) -> dict[str, float]:
    """One optimizer step on the supervised loss of a stage with the network of the state.

    Raises:
        RuntimeError: if a gradient is not finite; the weights stay as they were.
    """
    state.model.train()
    labels = {kind: [batch.labels[kind]] for kind in stage.label_kinds}
    losses: dict[str, Tensor] = stage.supervised_loss({"crops": [batch.crops]}, labels, [])
    state.optimizer.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    update_weights(state, MAX_GRAD_NORM)
    return {name: float(loss.detach()) for name, loss in losses.items()}
