"""Supervised training of one network by itself: steps, progress, checkpoints, card, tracking."""

import contextlib
import dataclasses
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from conegrad_core.pipeline.build import DEFAULT, load_pipeline
from conegrad_training.engine.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.output_folder import lock_folder
from conegrad_training.engine.progress_display import shown, written_losses
from conegrad_training.systems.system_config import SystemConfig, stage_settings
from conegrad_training.tracking.run_record import metrics_by_part, record_run, run_description
from conegrad_training.tracking.tracked_run import log_system
from conegrad_training.tracking.tracking import RunTracker, TrackingConfig

logger = logging.getLogger(__name__)

SHIPPED = "shipped"  # in settings: the weights that ship
N = TypeVar("N", bound=nn.Module)
D = TypeVar("D")
Steps = Callable[[int], Iterator[dict[str, float]]]
Average = Callable[[Any, Any, Any], None]  # of moving averages, weights, and steps so far
Watch = Callable[[Iterator[StepReport]], Iterator[StepReport]]


class NetworkTraining(ABC, Generic[D]):
    """Description of the supervised training of one kind of network.

    ``D`` is the data: what is trained on and what is evaluated on.

    Attributes:
        stage: that the network is in its pipeline; names its tracked run.
        pipeline: whose other stages are those that ship; the whole is recorded.
        title: of the progress.
        network_class: of the network.
        weights_file: name of the file that is written.
        free: settings that do not decide the weights; a run may be resumed with others.
    """

    stage: ClassVar[str]
    pipeline: ClassVar[str] = DEFAULT
    title: ClassVar[str]
    network_class: ClassVar[type[nn.Module]] = nn.Module
    weights_file: ClassVar[str]
    free: ClassVar[tuple[str, ...]]

    def __init__(self, config: Any) -> None:
        """Take the settings: at least output, seed, threads, steps, weights, checkpoint_every."""
        self.config = config

    @abstractmethod
    def data(self) -> D:
        """Load or describe the data."""

    @abstractmethod
    def fresh_state(self) -> TrainingState:
        """The network at the start of the run, with optimizer and schedule."""

    @abstractmethod
    def steps(self, state: TrainingState, data: D, start: int) -> Iterator[dict[str, float]]:
        """Run the optimizer steps from ``start`` on, yielding the losses of each."""

    @abstractmethod
    def evaluate(self, network: Any, data: D) -> dict[str, Any]:
        """Metrics of a network in evaluation mode."""

    @abstractmethod
    def publish(
        self, network: Any, data: D, before: dict[str, Any], after: dict[str, Any]
    ) -> dict[str, Any]:
        """Write weights and card; returns the card."""

    @abstractmethod
    def headline(self, metrics: dict[str, Any]) -> dict[str, float]:
        """The figures that are tracked."""

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that decide the weights."""
        values = dataclasses.asdict(self.config)
        return {name: value for name, value in values.items() if name not in self.free}


def train_network(
    training: NetworkTraining[Any], tracking: TrackingConfig | None = None
) -> dict[str, Any]:
    """Train, resume if the output folder holds a checkpoint, evaluate, write weights and card.

    Writes ``checkpoint.pt``, ``losses.csv``, and the weights with a card (.json, .md).

    Args:
        training: the network and its data.
        tracking: where the run is tracked; None: nowhere.

    Returns:
        What the model card says: command, data, settings, git revision and metrics; with
        ``config.weights`` also those of the start.

    Raises:
        ReplayError: if another process trains in the folder.
        ValueError: if data, weights or checkpoint cannot be used.
        FileNotFoundError: if a file does not exist.
    """
    config = training.config
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    output = Path(config.output)
    data = training.data()
    state = training.fresh_state()
    before = training.evaluate(state.model.eval(), data) if config.weights else {}
    with tracked_network(training, tracking, output) as tracker:
        run_network(
            state,
            lambda step: training.steps(state, data, step),
            output,
            training.settings,
            steps=config.steps,
            checkpoint_every=config.checkpoint_every,
            title=training.title,
            watch=tracker.watch if tracker else None,
        )
        network = averaged_network(state, training.network_class)
        after = training.evaluate(network, data)
        card = training.publish(network, data, before, after)
        found = {"before": before, "after": after}
        headlines = {name: training.headline(m) for name, m in found.items() if m}
        weights = {training.stage: output / training.weights_file}
        figures = dict.fromkeys((n for found in headlines.values() for n in found), training.stage)
        record_network(training, weights, metrics_by_part(headlines, figures))
        if tracker:
            tracker.finish(headlines, weights, figures)
            if not tracker.is_lost:
                logger.info("%s", tracker.how_to_look())
    if tracking is not None and tracking.tracking:
        log_system(output, tracking, tracker)
    return card


def record_network(
    training: NetworkTraining[Any],
    weights: Mapping[str, Path],
    metrics: Mapping[str, Mapping[str, float]],
) -> None:
    """Record the pipeline of a network with its new weights; its other stages are as shipped."""
    config = SystemConfig(pipeline=training.pipeline).with_weights(weights)
    description = run_description(
        config,
        pattern="individual",
        seeds=(training.config.seed,),
        metrics=metrics,
        settings={"run": training.settings},
    )
    system = load_pipeline(config.pipeline, stage_settings(config), trainable=True)
    record_run(Path(training.config.output), system, description)


@contextlib.contextmanager
def tracked_network(
    training: NetworkTraining[Any], tracking: TrackingConfig | None, output: Path
) -> Iterator[RunTracker | None]:
    """Track a run; one that ends with an exception is marked as failed."""
    if tracking is None or not tracking.tracking:
        yield None
        return
    settings = {"run": training.settings}
    tracker = RunTracker(tracking, output, settings, [training.stage])
    try:
        yield tracker
    except BaseException:  # whatever ended it, the store learns of it, and it is raised again
        tracker.fail()
        raise


def run_network(
    state: TrainingState,
    steps_from: Steps,
    output: Path,
    settings: dict[str, Any],
    *,
    steps: int,
    checkpoint_every: int,
    title: str,
    watch: Watch | None = None,
) -> None:
    """Make all steps, going on from the checkpoint of the output folder if there is one.

    Writes ``checkpoint.pt`` and ``losses.csv``.

    Args:
        state: learns in place.
        steps_from: makes the steps from a number on, yielding the losses of each.
        output: folder of the run.
        settings: that decide the weights; those of a checkpoint must be the same.
        steps: number of the last step.
        checkpoint_every: steps between two checkpoints.
        title: of the progress that is shown.
        watch: wraps the steps to track them.

    Raises:
        ReplayError: if another process trains there.
        ValueError: if the checkpoint is damaged, or was made with other settings.
    """
    path, step = output / "checkpoint.pt", 0
    with lock_folder(output):
        if path.exists():
            step, _ = load_checkpoint(path, state, settings)
            logger.info("resuming from %s at step %d", path, step)
        reports = _reports(steps_from(step), step)
        for report in _shown(watch(reports) if watch else reports, step, steps, title):
            step += 1
            if step % checkpoint_every == 0 or step == steps:
                save_checkpoint(path, state, step, settings)
                _log_losses(output / "losses.csv", step, report.losses)


def _reports(losses: Iterator[dict[str, float]], done: int) -> Iterator[StepReport]:
    """Losses as reports of steps, with the time that each took."""
    started = time.perf_counter()
    for step, of_step in enumerate(losses, done):
        now = time.perf_counter()
        yield StepReport(step, of_step, {}, frozenset(), now - started)
        started = time.perf_counter()


def _shown(
    reports: Iterator[StepReport], done: int, total: int, title: str
) -> Iterator[StepReport]:
    return shown(
        reports, total, title, done=done, unit="step", note=lambda r: written_losses(r.losses)
    )


def one_cycle_state(
    network: nn.Module, parameters: Any, config: Any, warm_up: float, average: Average
) -> TrainingState:
    """A network with AdamW, a one-cycle schedule and a moving average of its weights.

    Args:
        network: learns in place.
        parameters: of the network, or groups of them.
        config: settings with learning_rate, weight_decay and steps.
        warm_up: share of the steps in which the learning rate rises.
        average: updates the moving average.
    """
    rate = config.learning_rate
    optimizer = torch.optim.AdamW(parameters, rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=config.steps + 1, pct_start=warm_up
    )
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    return TrainingState(network, optimizer, schedule, averaged)


def warm_average(decay: float) -> Average:
    """Moving average that forgets its first, untrained members: its decay grows with its age."""

    def update(averaged: Any, current: Any, age: Any) -> None:
        young = (1 + int(age)) / (10 + int(age))
        get_ema_multi_avg_fn(min(decay, young))(averaged, current, age)

    return update


def update_weights(state: TrainingState, max_grad_norm: float) -> None:
    """Clip the gradients, step, and let schedule and moving average follow.

    Raises:
        RuntimeError: if a gradient is not finite; the weights stay as they were.
    """
    clip_grad_norm_(state.model.parameters(), max_grad_norm, error_if_nonfinite=True)
    state.optimizer.step()
    if state.scheduler is not None:
        state.scheduler.step()
    if isinstance(state.averaged, AveragedModel):
        state.averaged.update_parameters(state.model)


def averaged_network(state: TrainingState, network_class: type[N]) -> N:
    """The moving average of the weights, in evaluation mode."""
    network = getattr(state.averaged, "module", None)
    if not isinstance(network, network_class):
        found, expected = type(network).__name__, network_class.__name__
        raise TypeError(f"averaged holds a {found}, expected a {expected}")
    return network.eval()


def _log_losses(path: Path, step: int, losses: Mapping[str, float]) -> None:
    if not path.exists():
        path.write_text(",".join(["step", *losses]) + "\n")
    with path.open("a") as file:
        file.write(",".join([str(step), *(f"{value:.4f}" for value in losses.values())]) + "\n")
