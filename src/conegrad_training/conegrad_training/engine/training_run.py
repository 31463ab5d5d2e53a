"""A whole training run: load, train, resume, evaluate, write weights and records."""

import csv
import dataclasses
import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.optim import Optimizer
from torch.utils.data import Dataset

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.losses import EndLoss, EndLossConfig
from conegrad_core.processes.interrupts import delay_interrupts
from conegrad_core.settings import Config, setting
from conegrad_core.system_record.description import NAME, NAME_FORM
from conegrad_core.whole_file import write_whole
from conegrad_data.errors import ReplayError, TrainingError
from conegrad_evaluation.drives.map_fit import misfit_warning
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.paired.frame_scores import FrameScores, compare_frames
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system_metrics import measure
from conegrad_training.aliases import current_checkpoint
from conegrad_training.data.adversarial_training import AdversarialConfig, AdversarialTraining
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.data.disturbed_training import DisturbanceConfig, DisturbedTraining
from conegrad_training.data.sample_stream import SampleBatches, evenly, lost_readers_told, stream
from conegrad_training.engine.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from conegrad_training.engine.loop import StepReport, train
from conegrad_training.engine.loss_plot import add_row, cut_table, plot_losses
from conegrad_training.engine.optimizers import (
    OptimizerConfig,
    make_optimizer,
    set_rates,
    stage_rates,
    system_rates,
)
from conegrad_training.engine.output_folder import lock_folder
from conegrad_training.engine.shared_copies import SharedCopies
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.forking import (
    FEDERATED,
    ForkConfig,
    branch_weights,
    learning_branches,
    system_fork,
)
from conegrad_training.patterns.patterns import Pattern, PatternConfig, make_pattern
from conegrad_training.supervised.supervised_losses import check_labels
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig, by_stage
from conegrad_training.tracking.model_card import git_revision
from conegrad_training.tracking.run_record import metrics_by_part, record_run, run_description

logger = logging.getLogger(__name__)

Progress = Callable[[Iterator[StepReport], int, int], Iterator[StepReport]]
SampleProgress = Callable[[Iterable[Sample], int], Iterable[Sample]]

CHECKPOINT = "checkpoint.pt"
LOSSES = "losses.csv"
TRAINING_DRIVE = (
    "Measured on the drives that it learned from, which says nothing about others: give one "
    "that it does not learn from with --evaluate BAG"
)
# Settings that do not change the result.
FREE = ("workers", "threads", "checkpoint_every", "system_name")
YOUNGER: dict[str, Config] = {  # than checkpoints
    "sweep": SweepConfig(),
    "fork": ForkConfig(),
    "disturbance": DisturbanceConfig(),
    "adversarial": AdversarialConfig(),
}
# Settings with a value per stage; what they come to for each stage is compared instead.
BY_STAGE = ("weights", "rates", "supervised_rates", "weight_decays")


@dataclass(frozen=True)
class RunConfig(Config):
    """Settings of a run."""

    steps: int = setting(150, "Optimizer steps", low=1, high=10**9)
    batch: int = setting(8, "Samples per step", low=1, high=10**4)
    frames: int = setting(0, "Samples to train on, spread evenly; 0: all", low=0)
    seed: int = setting(1, "Seed of order and augmentation", low=0, high=2**62)
    adapt_statistics: bool = setting(
        True, "Update the batch-norm statistics of the stages that learn"
    )
    final_rate: float = setting(
        1.0,
        "Learning rates at the end, relative to the start; they fall linearly",
        low=0.0,
        high=1.0,
    )
    evaluation_frames: int = setting(100, "Samples of the metrics; 0: no metrics", low=0)
    checkpoint_every: int = setting(25, "Steps between two checkpoints", low=1)
    workers: int = setting(1, "Processes that read samples; 0: this one", low=0, high=64)
    threads: int = setting(0, "Threads of torch; 0: its choice", low=0, high=256)
    system_name: str = setting(
        "", "Name of the system that is recorded; empty: that of its parent or pipeline"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.system_name and not NAME.fullmatch(self.system_name):
            raise self.refusal("system_name", f"is {self.system_name!r}, expected {NAME_FORM}")


@dataclass(frozen=True)
class TrainingConfig:
    """All settings of a training run."""

    run: RunConfig = field(default_factory=RunConfig)
    system: SystemConfig = field(default_factory=SystemConfig)
    pattern: PatternConfig = field(default_factory=PatternConfig)
    fork: ForkConfig = field(default_factory=ForkConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loss: EndLossConfig = field(default_factory=EndLossConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    disturbance: DisturbanceConfig = field(default_factory=DisturbanceConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    reduction: ReductionConfig = field(default_factory=ReductionConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    evaluation: EvaluationConfig = field(default_factory=lambda: EvaluationConfig(max_range=12.0))


class Data(NamedTuple):
    """Samples of a run.

    Attributes:
        training: to learn from.
        evaluation: of the metrics.
        names: of the recordings, compared on resume.
        track: map that the truth is from, if it is from one.
        bags: recordings, each with its role: ``training`` or ``evaluation``.
    """

    training: Dataset[Sample]
    evaluation: Dataset[Sample]
    names: tuple[str, ...]
    track: Path | None = None
    bags: tuple[tuple[Path, str], ...] = ()

    @property
    def is_its_own_test(self) -> bool:
        """The recordings that are learned from are those that are evaluated."""
        return bool(self.bags) and all(role == "training" for _, role in self.bags)


class Run:
    """A run in progress; everything it needs to go on is in its checkpoint.

    Attributes:
        system: that learns.
        cost: what it has cost so far.
    """

    def __init__(self, config: TrainingConfig, data: Data, output: Path) -> None:
        """Load the system; nothing is written yet.

        Args:
            config: settings.
            data: samples.
            output: folder of everything that is written.

        Raises:
            ReplayError: if the pattern needs labels of stages, and the data has none.
            SettingError: if the settings name a stage that the pipeline does not have, or an
                attack on an input that it does not have.
            ValueError: if a disturbance does not apply to the pipeline or the samples.
        """
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        torch.manual_seed(config.run.seed)
        self._config, self._data, self._output = config, data, output
        self.system: TrainableSystem = load_system(config.system)
        self.system.learns_calibration = config.pattern.learn_calibration
        self.cost = TrainingCost()
        self._stages_of_metrics: dict[str, str] = {}
        self._rates = system_rates(self.system, config.optimizer)
        self._optimizer: Optimizer = make_optimizer(self.system, config.optimizer)
        self._pattern: Pattern = make_pattern(config.pattern, self.system, config.fork)
        if stages := _stages_with_labels(config, self.system):
            check_labels(self.system, data.training[0], stages)
        self._copies = _shared_copies(config.fork, self.system, self._optimizer)
        self._adversary = self._attacks()
        samples = evenly(data.training, config.run.frames)
        self._batches = SampleBatches(
            samples,
            seed=config.run.seed,
            batch=config.run.batch,
            steps=config.run.steps,
            augmentation=config.augmentation,
            disturbances=self._disturbed(samples),
        )

    def _attacks(self) -> AdversarialTraining | None:
        """Attacks a share of the samples, where the settings ask for it."""
        chosen, kinds = self._config.adversarial, self.system.pipeline.specification.inputs
        if not chosen.adversarial:
            return None
        criterion, seed = EndLoss(self._config.loss), self._config.run.seed
        return AdversarialTraining(chosen, list(kinds.values()), criterion, seed)

    def _disturbed(self, samples: Dataset[Sample]) -> DisturbedTraining | None:
        """Samples of which a share is disturbed, where the settings ask for it."""
        chosen, kinds = self._config.disturbance, self.system.pipeline.specification.inputs
        if not chosen.disturbances:
            return None
        return DisturbedTraining(samples, chosen, list(kinds.values()), self._config.run.seed)

    def start(self, *, resume: bool) -> None:
        """Begin, or go on from the checkpoint of the output folder.

        Raises:
            ReplayError: if there is a checkpoint and ``resume`` is False.
            ValueError: if the checkpoint was made with other settings or bags.
        """
        path = self._output / CHECKPOINT
        if not path.exists():
            self._output.mkdir(parents=True, exist_ok=True)
            cut_table(self._output / LOSSES, 0)
            return
        if not resume:
            raise ReplayError(
                f"{path} exists; resume that run (--resume), or choose another output folder"
            )
        _, extra = load_checkpoint(path, self._state, self._settings, current_checkpoint)
        self.cost.load_state_dict(extra["cost"])
        self._pattern.load_state_dict(extra["pattern"])
        if self._copies is not None:
            self._copies.load_state_dict(extra["copies"])
        cut_table(self._output / LOSSES, self.cost.steps)

    def steps(self) -> Generator[StepReport, None, None]:
        """The steps that are left; a checkpoint is written every so often and at the end.

        Who closes the generator between two steps loses nothing: a checkpoint is written first.

        Raises:
            TrainingError: if a step was refused.
        """
        run = self._config.run
        reports = train(
            self.system,
            self._samples(),
            self._pattern,
            EndLoss(self._config.loss),
            self._optimizer,
            cost=self.cost,
            max_grad_norm=self._config.optimizer.max_grad_norm,
            adapt_statistics=run.adapt_statistics,
            copies=self._copies,
            adversary=self._adversary,
        )
        self._set_rates()
        for report in reports:
            self._set_rates()
            add_row(self._output / LOSSES, report)
            if self._copies is not None and self.cost.steps == run.steps:
                self._copies.average()
            if self.cost.steps % run.checkpoint_every == 0 or self.cost.steps == run.steps:
                self.save()
            try:
                yield report
            except GeneratorExit:
                self.save()
                raise

    def _samples(self) -> Iterator[list[Sample]]:
        """The batches that are left; where one cannot be read, the steps before are saved."""
        first = self.cost.steps
        try:
            yield from stream(self._batches, first, self._config.run.workers)
        except (TrainingError, ValueError, OSError):
            if self.cost.steps > first:
                self.save()
            raise

    def take_steps(self, progress: Progress | None = None) -> None:
        """Take the steps that are left.

        Ctrl-C, and an exception of ``progress``, end them between two steps, with a checkpoint.

        Args:
            progress: wraps the steps to show progress; given them, the first and the last.

        Raises:
            TrainingError: if a step was refused.
        """
        with lost_readers_told(), closing(self.steps()) as steps, delay_interrupts() as release:
            total = self._config.run.steps
            for _ in progress(steps, self.cost.steps, total) if progress else steps:
                release()

    def _set_rates(self) -> None:
        """Those of the next step: a function of its number alone, so that a run can resume."""
        run = self._config.run
        share = 1.0 - (1.0 - run.final_rate) * self.cost.steps / max(run.steps - 1, 1)
        update = self._pattern.update(self.cost.steps)
        set_rates(self._optimizer, self._rates, max(share, 0.0), update.supervised_stages)

    def save(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(
            self._output / CHECKPOINT,
            self._state,
            self.cost.steps,
            self._settings,
            cost=self.cost.state_dict(),
            pattern=self._pattern.state_dict(),
            **({"copies": self._copies.state_dict()} if self._copies is not None else {}),
        )

    def measure(self, name: str, progress: SampleProgress | None = None) -> dict[str, float]:
        """Write the metrics of the system as it is to ``metrics_<name>.json``; the headline.

        Args:
            name: when it is measured.
            progress: wraps the samples to show progress; given them and their number.
        """
        count = self._config.run.evaluation_frames
        chosen: Any = evenly(self._data.evaluation, count)
        samples = (chosen[place] for place in range(len(chosen)))
        shown = progress(samples, len(chosen)) if progress else samples
        metrics = measure(self.system, shown, self._config.evaluation)
        for figure, port in metrics.ports_of_figures().items():
            self._stages_of_metrics[figure] = self.system.writer_of(port)
        _write_json(self._output / f"metrics_{name}.json", metrics.to_dict())
        return metrics.headline()

    def publish(self, headlines: Mapping[str, Mapping[str, float]]) -> None:
        """Write weights, record and summary of the run, and the picture of its losses."""
        weights = self.system.save(self._output)
        scalars = {name: stage.scalars() for name, stage in self.system.stages.items()}
        summary = {
            "settings": self._settings,
            "git_revision": git_revision(),
            "cost": self.cost.to_dict(),
            "metrics": {name: dict(values) for name, values in headlines.items()},
            "stages_of_metrics": self._stages_of_metrics,
            "verdict": self._verdict(),
            "weights": {stage: path.name for stage, path in weights.items()},
            "scalars": {name: values for name, values in scalars.items() if values},
        }
        _write_json(self._output / "run.json", summary)
        self._record(headlines)
        if (self._output / LOSSES).exists():
            try:
                plot_losses(self._output / LOSSES, self._output / "losses.png")
            except (ValueError, KeyError, TypeError, OSError, csv.Error) as error:
                logger.warning("%s cannot be drawn: %s", self._output / LOSSES, error)

    def _verdict(self) -> str:
        """What the same frames before and after say; empty without both."""
        paths = [self._output / f"metrics_{name}.json" for name in ("before", "after")]
        if not all(path.exists() for path in paths):
            return ""
        found = [json.loads(path.read_text()).get("frames") for path in paths]
        if None in found:  # measured by an earlier version
            return ""
        verdict = str(compare_frames(*(FrameScores.of_dict(values) for values in found)))
        return f"{verdict}. {TRAINING_DRIVE}" if self._data.is_its_own_test else verdict

    def _record(self, headlines: Mapping[str, Mapping[str, float]]) -> None:
        """Write the system as it is, with what it comes from."""
        config = self._config
        description = run_description(
            config.system,
            name=config.run.system_name,
            pattern=config.pattern.pattern,
            seeds=(config.run.seed,),
            bags=self._data.bags,
            metrics=metrics_by_part(headlines, self._stages_of_metrics),
            settings=plain_settings(config),
        )
        calibration = self._data.training[0].context.calibration
        record_run(self._output, self.system.pipeline, description, calibration)

    @property
    def _state(self) -> TrainingState:
        return TrainingState(self.system, self._optimizer)

    @property
    def _settings(self) -> dict[str, Any]:
        """Everything that decides the result, as plain values."""
        settings: dict[str, Any] = {"data": list(self._data.names)}
        for section, values in plain_settings(self._config).items():
            if section in YOUNGER and getattr(self._config, section) == YOUNGER[section]:
                continue  # checkpoints made before it existed go on
            settings |= {f"{section}.{key}": v for key, v in values.items() if key not in FREE}
        return settings


def plain_settings(config: TrainingConfig) -> dict[str, dict[str, Any]]:
    """All settings by section; those of each stage are in the section ``stages.NAME``.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: if a stage is not registered.
        SettingError: if the settings name a stage that the pipeline does not have.
    """
    sections: dict[str, dict[str, Any]] = {}
    for part in dataclasses.fields(config):
        values = dataclasses.asdict(getattr(config, part.name))
        sections[part.name] = {key: v for key, v in values.items() if key not in BY_STAGE}
    weights = by_stage(config.system, "weights")
    for name, rates in stage_rates(config.system.classes, config.optimizer).items():
        sections[f"stages.{name}"] = {
            "weights": weights.get(name, ""),
            "rate": rates.end,
            "supervised_rate": rates.supervised,
            "weight_decay": rates.weight_decay,
        }
    return sections


def _stages_with_labels(config: TrainingConfig, system: TrainableSystem) -> frozenset[str]:
    """Stages that learn from labels of their own in some step."""
    stages = frozenset(system.supervised_stages) if config.pattern.needs_labels else frozenset()
    if config.pattern.needs_labels and not stages:
        source = system.pipeline.specification.source
        raise ReplayError(f"no stage of {source} has a supervised loss; choose another pattern")
    if config.fork.fork_strategy:
        fork = system_fork(system)
        learning = learning_branches(config.fork, fork)
        stages |= frozenset().union(*(fork.branches[name].supervised for name in learning))
    return stages


def _shared_copies(
    config: ForkConfig, system: TrainableSystem, optimizer: Optimizer
) -> SharedCopies | None:
    """Copies of the shared model of a fork, where each branch has one."""
    if config.fork_strategy != FEDERATED:
        return None
    fork = system_fork(system)
    return SharedCopies(system.stages[fork.shared], optimizer, branch_weights(config, fork))


def run_training(
    config: TrainingConfig,
    data: Data,
    output: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    measuring: SampleProgress | None = None,
) -> dict[str, dict[str, float]]:
    """Train to the end, with metrics before and after.

    A run that is refused at its start leaves no output folder.

    Args:
        config: settings.
        data: samples.
        output: folder to write to.
        resume: go on from the checkpoint in ``output``.
        progress: wraps the steps to show progress; given them, the first and the last. If it
            raises, a checkpoint of the last step is written, as on Ctrl-C.
        measuring: likewise wraps the samples of the metrics; given them and their number.

    Returns:
        Headline metrics ``before`` and ``after``; empty without evaluation frames.

    Raises:
        ReplayError: if the data or the output folder cannot be used, such as one where another
            process trains.
        TrainingError: if a step was refused.
    """
    with lock_folder(output):
        run = Run(config, data, output)
        if resume and not (output / CHECKPOINT).exists():
            logger.warning("%s is missing: the run starts anew", output / CHECKPOINT)
        run.start(resume=resume)
        headlines: dict[str, dict[str, float]] = {}
        if config.run.evaluation_frames:
            before = headlines["before"] = _before(run, output, measuring)
            if data.track and (
                text := misfit_warning(before["precision"], before["recall"], data.track)
            ):
                logger.warning("%s", text)
        run.take_steps(progress)
        if config.run.evaluation_frames:
            headlines["after"] = run.measure("after", measuring)
        run.publish(headlines)
    return headlines


def _before(run: Run, output: Path, measuring: SampleProgress | None) -> dict[str, float]:
    """Metrics of the start; those of an interrupted run are kept."""
    path = output / "metrics_before.json"
    if run.cost.steps and path.exists():
        try:
            headline: dict[str, float] = json.loads(path.read_text())["headline"]
        except (ValueError, KeyError, TypeError) as error:
            raise ReplayError(
                f"{path} is damaged, and the start of the run cannot be measured any more: go on "
                "without metrics (evaluation_frames 0), or begin anew"
            ) from error
        return headline
    return run.measure("before", measuring)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, (json.dumps(content, indent=2, default=str) + "\n").encode())
