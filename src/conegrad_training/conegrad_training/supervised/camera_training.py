"""Individual training of the cone detector on simulated frames, or on labelled photographs.

``python -m conegrad_training.supervised.camera_training`` trains the weights that ship; a run
that was stopped goes on from its last checkpoint when it is started again. The network is fully
convolutional: most steps see crops around cones at the scale of the whole frame, which teaches
as much at a fifth of the cost; the last steps see whole frames.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

from conegrad_core.camera.checkpoint import load_network, save_network
from conegrad_core.camera.detector import Detector, DetectorConfig
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.head import ARCHITECTURES, build_network
from conegrad_core.camera.supervision import (
    DetectionBatch,
    detection_criterion,
    detection_losses,
)
from conegrad_core.processes.worker_process import read_ahead, start_forked
from conegrad_core.settings import Config, setting
from conegrad_core.weights import default_weights
from conegrad_evaluation.metrics.boxes import TrueBoxes, average_precisions
from conegrad_simulation.scene.world import LEVELS
from conegrad_training.engine.checkpoint import TrainingState
from conegrad_training.engine.progress_display import shown
from conegrad_training.supervised.camera_batches import CropBatches
from conegrad_training.supervised.camera_crops import LabelledImage
from conegrad_training.supervised.camera_data import CameraData, labelled_data, simulated_data
from conegrad_training.supervised.camera_rendering import MIXTURES
from conegrad_training.supervised.network_training import (
    SHIPPED,
    NetworkTraining,
    one_cycle_state,
    train_network,
    update_weights,
    warm_average,
)
from conegrad_training.tracking.model_card import git_revision, training_command, write_card
from conegrad_training.tracking.tracking import TrackingConfig

SEEDS_PER_RUN = 1_000_000  # training seeds of neighbouring run seeds stay apart
CLASS_BIAS = -5.0  # first logit of every class: cones are rare
MIN_HEIGHT = 4.0  # boxes lower than this do not count in the evaluation [px]
MAX_GRAD_NORM = 10.0
NAME = "yolov5n_cones"


@dataclass(frozen=True)
class CameraTrainingConfig(Config):
    """Settings of the individual training of the cone detector."""

    output: str = setting("runs/yolov5n_cones", "folder to write", short="-o")
    frames_folder: str = setting("runs/frames", "Folder that keeps the rendered frames")
    images: str = setting("", "Folder of labelled images (YOLO); empty: simulated frames")
    class_names: str = setting("", "Names of classes 0, 1, ... of --images as a,b; empty: its file")
    held_out: str = setting("", "Test sequences of --images, a,b; empty: last third of each")
    weights: str = setting("", "Weights to start from: shipped, or a file; empty: random ones")
    architecture: str = setting("yolov5n", "Size of the network", choices=ARCHITECTURES)
    level: str = setting("mixed", "Variety of simulated frames", choices=(*LEVELS, *MIXTURES))
    frames: int = setting(8000, "Simulated frames to train on", low=1)
    steps: int = setting(2000, "Optimizer steps", low=1)
    batch: int = setting(16, "Crops per step; whole frames: a quarter of it", low=1)
    crop_width: int = setting(320, "Width of a crop [px], a multiple of 32", low=32, high=640)
    crop_height: int = setting(192, "Height of a crop [px], a multiple of 32", low=32, high=384)
    whole_share: float = setting(0.08, "Share of steps, at the end, on whole frames", low=0, high=1)
    learning_rate: float = setting(2e-3, "Peak of the one-cycle schedule", low=0.0)
    weight_decay: float = setting(0.02, "Decay of the weights (AdamW)", low=0.0)
    averaging: float = setting(
        0.995, "Decay of the moving average of the weights", low=0.0, high=1.0
    )
    precision: str = setting("bf16", "Precision of the convolutions", choices=("fp32", "bf16"))
    seed: int = setting(1, "Seed of weights, frames and crops", low=0, high=800)
    workers: int = setting(2, "Processes that render frames", low=1)
    threads: int = setting(1, "Threads of torch; more than idle cores slow it down", low=1)
    evaluation_frames: int = setting(300, "Unseen frames of the evaluation", low=1)
    checkpoint_every: int = setting(100, "Steps between two checkpoints", low=1)


class CameraTraining(NetworkTraining[CameraData]):
    """The cone detector, on crops around cones and whole frames."""

    stage = "detector"
    title = "cone detector"
    weights_file = f"{NAME}.safetensors"
    free = ("output", "frames_folder", "workers", "threads", "checkpoint_every")
    config: CameraTrainingConfig

    def data(self) -> CameraData:
        """Labelled photographs, or simulated frames."""
        return _data(self.config)

    def fresh_state(self) -> TrainingState:
        """Random weights with a low first score of every class, or those of the settings."""
        return _fresh_state(self.config)

    def steps(
        self, state: TrainingState, data: CameraData, start: int
    ) -> Iterator[dict[str, float]]:
        """As :func:`train_steps`."""
        return train_steps(state, data.training, self.config, start)

    def evaluate(self, network: Any, data: CameraData) -> dict[str, Any]:
        """As :func:`evaluate_frames`."""
        return dict(evaluate_frames(network, data.unseen_frames))

    def headline(self, metrics: dict[str, Any]) -> dict[str, float]:
        """The mean over the classes."""
        return {"mAP50": metrics["mean"]}

    def publish(
        self,
        network: Any,
        data: CameraData,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> dict[str, Any]:
        """Write weights and card."""
        config, output = self.config, Path(self.config.output)
        metrics = {"AP50": after, "frames": len(data.unseen_frames)}
        card: dict[str, Any] = {
            "command": training_command("conegrad_training.supervised.camera_training", config),
            "data": data.description,
            "settings": self.settings,
            "git_revision": git_revision(),
            "metrics": ({"AP50 before": before} if before else {}) | metrics,
        }
        height, width = data.unseen_frames[0].image.shape[:2]
        weights = output / self.weights_file
        save_network(
            network,
            weights,
            architecture=config.architecture,
            input_size=(width, height),
            extra={name: json.dumps(value) for name, value in card.items()},
        )
        card["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
        write_card(output / NAME, "YOLOv5n for cones", card)
        return card


def train_camera(
    config: CameraTrainingConfig, tracking: TrackingConfig | None = None
) -> dict[str, Any]:
    """Train the cone detector, as :func:`~.network_training.train_network` says."""
    return train_network(CameraTraining(config), tracking)


def train_steps(
    state: TrainingState,
    frames: Sequence[LabelledImage],
    config: CameraTrainingConfig,
    start: int,
) -> Iterator[dict[str, float]]:
    """Run the optimizer steps from ``start`` on, yielding the losses of each."""
    criterion = detection_criterion(state.model)
    batches = CropBatches(
        frames,
        seed=config.seed,
        batch=config.batch,
        size=(config.crop_width, config.crop_height),
        whole_from=config.steps - round(config.whole_share * config.steps),
        steps=config.steps,
    )
    remaining = Subset(batches, range(start, config.steps))
    loader = DataLoader(
        remaining,
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
        worker_init_fn=start_forked,
    )
    for batch in read_ahead(loader):
        yield train_step(state, criterion, batch, config.precision == "bf16")


def train_step(
    state: TrainingState, criterion: Any, batch: DetectionBatch, use_bf16: bool
) -> dict[str, float]:
    """One optimizer step.

    Raises:
        RuntimeError: if a gradient is not finite; the weights stay as they were.
    """
    state.model.train()
    losses = detection_losses(state.model, criterion, batch, use_bf16)
    state.optimizer.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    update_weights(state, MAX_GRAD_NORM)
    return {name: float(loss.detach()) for name, loss in losses.items()}


@torch.no_grad()
def evaluate_frames(network: nn.Module, frames: Sequence[LabelledImage]) -> dict[str, float]:
    """Average precision at IoU 0.5, by class and in the mean, of a network on whole frames."""
    height, width = frames[0].image.shape[:2]
    config = DetectorConfig(engine="torch", input_width=width, input_height=height)
    detector = Detector(TorchEngine(network.eval()), config)
    found, truths = [], []
    for index in shown(range(len(frames)), len(frames), "evaluation", unit="frame"):
        frame = frames[index]
        found += detector([frame.image])
        boxes = torch.from_numpy(frame.boxes_xyxy)
        truths.append(TrueBoxes(boxes, torch.from_numpy(frame.classes)))
    return average_precisions(found, truths, min_height=MIN_HEIGHT)


def _data(config: CameraTrainingConfig) -> CameraData:
    if config.images:
        folder = Path(config.images).expanduser()
        return labelled_data(folder, config.class_names, config.held_out)
    return simulated_data(
        Path(config.frames_folder),
        config.level,
        config.seed * SEEDS_PER_RUN,
        config.frames,
        unseen=config.evaluation_frames,
        workers=config.workers,
    )


def _fresh_state(config: CameraTrainingConfig) -> TrainingState:
    network: Any = build_network(config.architecture)
    for branch in network.model[-1].cv3:
        nn.init.constant_(branch[-1].bias, CLASS_BIAS)
    if config.weights:
        path = default_weights("camera") if config.weights == SHIPPED else Path(config.weights)
        network = load_network(path.expanduser()).network.requires_grad_()
    network = network.to(memory_format=torch.channels_last)
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed},
        {"params": others, "weight_decay": 0.0},
    ]
    return one_cycle_state(network, groups, config, 0.12, warm_average(config.averaging))


if __name__ == "__main__":
    from conegrad_training.engine.command_line import config_from_arguments

    logging.basicConfig(level=logging.INFO)
    result = train_camera(
        config_from_arguments(CameraTrainingConfig, sys.argv[1:]), TrackingConfig()
    )
    mean = result["metrics"]["AP50"]["mean"]
    logging.getLogger(__name__).info("mAP50 on frames that were kept aside: %.3f", mean)
