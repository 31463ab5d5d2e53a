"""Individual training of the scan network on simulated scans, or on recorded and labelled ones.

``python -m conegrad_training.supervised.lidar_training`` trains the weights that ship; a run
that was stopped goes on from its last checkpoint when it is started again.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset, Subset

from conegrad_core.lidar.beam_features import CONE_WIDTH
from conegrad_core.lidar.scan_network import ScanNetwork
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.processes.worker_process import read_ahead, start_forked
from conegrad_core.settings import Config, setting
from conegrad_simulation.lidar.scan_sampler import ScanBatch
from conegrad_training.engine.checkpoint import TrainingState
from conegrad_training.supervised.lidar_card import write_card
from conegrad_training.supervised.lidar_data import (
    LidarData,
    SimulatedShare,
    recorded_data,
    simulated_data,
)
from conegrad_training.supervised.lidar_evaluation import beam_logits
from conegrad_training.supervised.network_training import (
    SHIPPED,
    NetworkTraining,
    one_cycle_state,
    train_network,
    update_weights,
)
from conegrad_training.tracking.model_card import training_command
from conegrad_training.tracking.tracking import TrackingConfig

logger = logging.getLogger(__name__)

MODULE = "conegrad_training.supervised.lidar_training"  # __name__ is __main__ when it runs

MAX_GRAD_NORM = 5.0
SEEDS_PER_RUN = 1_000_000  # training seeds of neighbouring run seeds stay apart


@dataclass(frozen=True)
class LidarTrainingConfig(Config):
    """Settings of the individual training of the scan network."""

    output: str = setting("runs/scan_cnn", "folder to write", short="-o")
    scans: str = setting("", "Labelled scans (.npz or folder of them); empty: simulated ones")
    held_out: str = setting("", "Test files of --scans, a,b; empty: the last third of each")
    mix: float = setting(
        0.5, "Share of the batches that are simulated sensors, beside --scans", low=0.0, high=1.0
    )
    clouds: float = setting(
        0.5, "Share of the simulated batches that are clouds of 3-D LiDARs", low=0.0, high=1.0
    )
    weights: str = setting("", "Weights to start from: shipped, or a file; empty: random ones")
    steps: int = setting(800, "Optimizer steps", low=1)
    batch: int = setting(8, "Scans per sensor", low=1)
    sensors: int = setting(3, "Sensors per optimizer step", low=1)
    learning_rate: float = setting(4e-3, "Peak of the one-cycle schedule", low=0.0)
    weight_decay: float = setting(1e-3, "Decay of the weights (AdamW)", low=0.0)
    focus: float = setting(0.0, "Exponent of the focal loss; 0: cross-entropy", low=0.0)
    far_weight: float = setting(
        0.0, "Weight of far beams: 0, all beams count alike; 1, all cones do", low=0.0, high=1.0
    )
    averaging: float = setting(0.99, "Decay of the moving average of the weights", low=0.0, high=1)
    seed: int = setting(1, "Seed of weights and scans", low=0, high=800)
    workers: int = setting(1, "Processes that simulate scans; 0: this one", low=0)
    threads: int = setting(1, "Threads of torch; more than idle cores slow it down", low=1)
    evaluation_batches: int = setting(40, "Unseen sensors of the final evaluation", low=1)
    evaluation_frames: int = setting(100, "Unseen frames per vehicle at the end", low=1)
    checkpoint_every: int = setting(100, "Steps between two checkpoints", low=1)


class LidarTraining(NetworkTraining[LidarData]):
    """The scan network, on scans of several sensors per step."""

    stage = "segmenter"
    title = "scan network"
    network_class = ScanNetwork
    weights_file = "scan_cnn.safetensors"
    free = ("output", "workers", "threads", "evaluation_batches", "evaluation_frames")
    config: LidarTrainingConfig

    def data(self) -> LidarData:
        """Labelled recordings, or simulated scans."""
        return _data(self.config)

    def fresh_state(self) -> TrainingState:
        """Random weights, or those of the settings."""
        return _fresh_state(self.config)

    def steps(
        self, state: TrainingState, data: LidarData, start: int
    ) -> Iterator[dict[str, float]]:
        """As :func:`train_steps`."""
        return train_steps(state, data.batches, self.config, start)

    def evaluate(self, network: Any, data: LidarData) -> dict[str, Any]:
        """Counts of beams by the kind of scans."""
        return dict(data.evaluate(network))

    def headline(self, metrics: dict[str, Any]) -> dict[str, float]:
        """F1 of the beams of the first kind of scans."""
        return {"beam_f1": next(iter(metrics.values())).f1}

    def publish(
        self, network: Any, data: LidarData, before: dict[str, Any], after: dict[str, Any]
    ) -> dict[str, Any]:
        """Write weights and card."""
        metrics = {f"{name}, before": counts for name, counts in before.items()} | after
        command, output = training_command(MODULE, self.config), Path(self.config.output)
        return write_card(network, output, command, self.settings, metrics, data.description)


def train_lidar(
    config: LidarTrainingConfig, tracking: TrackingConfig | None = None
) -> dict[str, Any]:
    """Train the scan network, as :func:`~.network_training.train_network` says."""
    return train_network(LidarTraining(config), tracking)


def train_steps(
    state: TrainingState, scans: Dataset[ScanBatch], config: LidarTrainingConfig, start: int
) -> Iterator[dict[str, float]]:
    """Run the optimizer steps from ``start`` on, yielding the losses of each."""
    remaining = Subset(scans, range(start * config.sensors, config.steps * config.sensors))
    loader = DataLoader(
        remaining, batch_size=None, num_workers=config.workers, worker_init_fn=start_forked
    )
    batches = read_ahead(loader)
    for _ in range(start, config.steps):
        yield train_step(
            state, [next(batches) for _ in range(config.sensors)], config.focus, config.far_weight
        )


def train_step(
    state: TrainingState, batches: list[ScanBatch], focus: float, far_weight: float = 0.0
) -> dict[str, float]:
    """One optimizer step on the scans of several sensors.

    Raises:
        RuntimeError: if a gradient is not finite; the weights stay as they were.
    """
    state.model.train()
    state.optimizer.zero_grad()
    total = 0.0
    for batch in batches:
        ranges, labels = torch.as_tensor(batch.ranges), torch.as_tensor(batch.labels)
        logits = beam_logits(state.model, batch)
        weights = beam_weights(ranges, batch.step, far_weight)
        loss = focal_beam_loss(logits, labels, ranges, focus, weights) / len(batches)
        loss.backward()
        total += loss.item()
    update_weights(state, MAX_GRAD_NORM)
    return {"beams": total}


def beam_weights(ranges: Tensor, angle_step: float, exponent: float) -> Tensor:
    """``(B, N)`` weights of the beams: far cones, which few beams meet, count as near ones do.

    Args:
        ranges: ``(B, N)`` [m].
        angle_step: between two beams [rad].
        exponent: of the share of a cone's width that a beam covers: 1 gives every cone the same
            weight, 0 every beam.
    """
    share = (ranges.nan_to_num(posinf=0.0) * angle_step / CONE_WIDTH).clamp(1e-3, 1.0)
    return share**exponent


def focal_beam_loss(
    logits: Tensor, labels: Tensor, ranges: Tensor, focus: float, weights: Tensor | None = None
) -> Tensor:
    """Mean focal loss over the beams with a return; beams without one get no gradient.

    Args:
        logits: ``(B, N)`` log-odds of a cone.
        labels: ``(B, N)`` bool.
        ranges: ``(B, N)`` [m]; NaN, inf and 0 mean no return.
        focus: exponent that plays down beams that are classified well already; 0 is cross-entropy.
        weights: ``(B, N)`` of the beams in the mean; None: all alike.

    Source:
        Lin et al., Focal Loss for Dense Object Detection, 2017, equation 4.
    """
    returned = ranges.isfinite() & (ranges > 0)
    logits, targets = logits[returned], labels[returned].to(logits.dtype)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    miss = (logits.sigmoid() - targets).abs()
    weight = torch.ones_like(logits) if weights is None else weights[returned]
    return (weight * miss**focus * entropy).sum() / weight.sum().clamp(min=1e-6)


def _data(config: LidarTrainingConfig) -> LidarData:
    first_seed, batches = config.seed * SEEDS_PER_RUN, config.steps * config.sensors
    share = SimulatedShare(config.clouds, config.evaluation_batches, config.evaluation_frames)
    if config.scans:
        return recorded_data(
            Path(config.scans).expanduser(),
            config.held_out,
            first_seed,
            batches,
            config.batch,
            mix=config.mix,
            share=share,
        )
    return simulated_data(first_seed, batches, config.batch, share)


def _start_network(weights: str) -> ScanNetwork:
    """Random weights, those of a file, or those that ship."""
    if not weights:
        return ScanNetwork()
    path = "" if weights == SHIPPED else weights
    return load_segmenter(SegmenterConfig(weights=path, engine="torch")).network


def _fresh_state(config: LidarTrainingConfig) -> TrainingState:
    network = _start_network(config.weights)
    average = get_ema_multi_avg_fn(config.averaging)
    return one_cycle_state(network, network.parameters(), config, 0.15, average)


if __name__ == "__main__":
    from conegrad_training.engine.command_line import config_from_arguments

    logging.basicConfig(level=logging.INFO)
    result = train_lidar(config_from_arguments(LidarTrainingConfig, sys.argv[1:]), TrackingConfig())
    for scans, rates in result["metrics"].items():
        logger.info("F1 %.3f, %s", rates["f1"], scans)
