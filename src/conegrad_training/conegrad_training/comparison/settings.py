"""Settings of a comparison: those of its training runs, and the frames that they share."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conegrad_core.losses import EndLossConfig
from conegrad_core.settings import Config, setting
from conegrad_training.aliases import current_comparison
from conegrad_training.comparison.plan import PlannedRun
from conegrad_training.comparison.scenarios import CONDITIONS, FORK, partial_network
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.training_run import RunConfig, TrainingConfig, plain_settings
from conegrad_training.patterns.forking import ForkConfig
from conegrad_training.patterns.patterns import PARTIAL, SIMULTANEOUS, PatternConfig
from conegrad_training.systems.system_config import SystemConfig


@dataclass(frozen=True)
class DesignConfig(Config):
    """Settings of a comparison that a single run does not have."""

    frames: int = setting(300, "Training frames", low=1)
    test_frames: int = setting(250, "Test frames, of other tracks", low=1)
    frames_per_drive: int = setting(75, "Frames of each simulated drive", low=1)
    image_width: int = setting(640, "Width of the images [px]", low=32)
    image_height: int = setting(360, "Height of the images [px]", low=32)
    first_share: float = setting(
        0.33, "Share of the steps of the first pattern of a sequence", low=0.0, high=1.0
    )


# Where a comparison differs from the defaults of a training run, and why.
RUN = RunConfig(
    final_rate=0.02,  # a run is short: without a decay its last steps decide the figures
    evaluation_frames=0,  # the comparison evaluates all runs on the same test frames itself
    checkpoint_every=50,  # a run takes minutes
    workers=0,  # the samples are in memory
    threads=1,  # sums of one thread are equal on every computer
)
SYSTEM = SystemConfig(
    # A third of the pixels of a training run, so that a hundred runs take hours, not days.
    input_width=416,
    input_height=128,
    crop_top=0.26,  # sky
    crop_bottom=0.2,  # bonnet of the car
)
OPTIMIZER = OptimizerConfig(  # 150 steps are to suffice
    rates=("detector=0.0003",), supervised_rates=("detector=0.001",)
)
LOSS = EndLossConfig(
    recall_weight=1.0,  # false and missed cones count alike, as in the F1 that is compared
    max_range=13.0,  # [m], cones beyond have too few pixels in the small input
)
# Settings that a comparison decides itself, by group.
DECIDED = {
    "run": ("frames", "seed", "evaluation_frames", "workers"),
    "pattern": ("pattern", "stages", "first_steps"),
    "fork": ("fork_strategy",),
}


@dataclass(frozen=True)
class ComparisonConfig:
    """Settings that all runs of a comparison share."""

    design: DesignConfig = dataclasses.field(default_factory=DesignConfig)
    run: RunConfig = RUN
    system: SystemConfig = SYSTEM
    pattern: PatternConfig = dataclasses.field(default_factory=PatternConfig)
    fork: ForkConfig = dataclasses.field(default_factory=ForkConfig)
    optimizer: OptimizerConfig = OPTIMIZER
    loss: EndLossConfig = LOSS

    @property
    def groups(self) -> dict[str, Config]:
        """Settings by the name of their group."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def by_name(self) -> dict[str, Any]:
        """Values of the settings that may be chosen, by ``group.name``; of stages as they are."""
        sections = plain_settings(
            TrainingConfig(
                run=self.run,
                system=self.system,
                pattern=self.pattern,
                fork=self.fork,
                optimizer=self.optimizer,
                loss=self.loss,
            )
        )
        sections = {
            "design": dataclasses.asdict(self.design),
            **{k: v for k, v in sections.items() if k in self.groups or k.startswith("stages.")},
        }
        return {
            f"{group}.{name}": value
            for group, values in sections.items()
            for name, value in values.items()
            if name not in DECIDED.get(group, ())
        }

    def training(self, planned: PlannedRun, system: SystemConfig) -> TrainingConfig:
        """All settings of one run."""
        first_steps = round(self.design.first_share * self.run.steps)
        return TrainingConfig(
            run=dataclasses.replace(self.run, seed=planned.seed),
            system=system,
            pattern=dataclasses.replace(
                self.pattern, **_pattern_of(planned.pattern), first_steps=first_steps
            ),
            fork=self._fork(planned.pattern),
            optimizer=self.optimizer,
            loss=self.loss,
            augmentation=AugmentationConfig(mirror=CONDITIONS[planned.condition].mirror),
        )

    def _fork(self, pattern: str) -> ForkConfig:
        """Fork settings of a planned pattern: none but for one of a strategy."""
        if not pattern.startswith(FORK):
            return ForkConfig()
        return dataclasses.replace(self.fork, fork_strategy=pattern.removeprefix(FORK))


def full_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a file by ``group.name``; files of version 0.1 have the names alone."""
    by_field = {name.partition(".")[2]: name for name in ComparisonConfig().by_name()}
    return {by_field.get(k, k): value for k, value in current_comparison(values).items()}


def _pattern_of(name: str) -> dict[str, Any]:
    """Settings of a planned pattern: ``partial_STAGE`` trains that stage, ``fork_...`` all."""
    if name.startswith(FORK):
        return {"pattern": SIMULTANEOUS, "stages": ()}
    network = partial_network(name)
    if network is None:
        return {"pattern": name, "stages": ()}
    return {"pattern": PARTIAL, "stages": (network,)}
