"""Settings of a comparison and of its training runs."""

from dataclasses import dataclass

from conegrad_core.losses import EndLossConfig
from conegrad_core.settings import Config, setting
from conegrad_training.comparison.plan import PlannedRun
from conegrad_training.comparison.scenarios import CONDITIONS
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.training_run import RunConfig, TrainingConfig
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import SystemConfig


@dataclass(frozen=True)
class ComparisonConfig(Config):
    """Settings that all runs of a comparison share."""

    steps: int = setting(150, "Optimizer steps of every run", low=1)
    batch: int = setting(8, "Samples per step", low=1)
    frames: int = setting(300, "Training frames", low=1)
    test_frames: int = setting(250, "Test frames, of other tracks", low=1)
    frames_per_drive: int = setting(75, "Frames of each simulated drive", low=1)
    camera: str = setting("", "Weights of the detector; empty: those shipped")
    lidar: str = setting("", "Weights of the segmenter; empty: those shipped")
    fusion: str = setting("", "Scalars of the fusion; empty: the values shipped")
    image_width: int = setting(640, "Width of the images [px]", low=32)
    image_height: int = setting(360, "Height of the images [px]", low=32)
    input_width: int = setting(416, "Width of the detector's input [px]", low=32)
    input_height: int = setting(128, "Height of the detector's input [px]", low=32)
    crop_top: float = setting(0.26, "Fraction of rows cut off: sky", low=0.0, high=0.95)
    crop_bottom: float = setting(0.2, "Fraction of rows cut off: bonnet", low=0.0, high=0.95)
    camera_rate: float = setting(3e-4, "Learning rate of the detector, end loss", low=0.0)
    own_camera_rate: float = setting(1e-3, "Likewise, own loss (individual)", low=0.0)
    lidar_rate: float = setting(1e-3, "Learning rate of the segmenter", low=0.0)
    fusion_rate: float = setting(5e-3, "Learning rate of the fusion's scalars", low=0.0)
    final_rate: float = setting(
        0.02, "Share of the rates that is left at the end; they fall evenly", low=0.0, high=1.0
    )
    first_share: float = setting(
        0.33, "Share of the steps of the first pattern of a sequence", low=0.0, high=1.0
    )
    schedule: str = setting("round_robin", "Of alternating: round_robin or worst_term")
    block: int = setting(1, "Of alternating: steps before the other model has its turn", low=1)
    learn_calibration: bool = setting(
        False, "With the fusion also learns where the sensors are mounted"
    )
    recall_weight: float = setting(1.0, "Weight of existing against false cones", low=0.0)
    max_range: float = setting(13.0, "Truth beyond this does not count in the loss [m]", low=0.1)
    adapt_statistics: bool = setting(True, "Batch-norm statistics of learning parts follow")
    checkpoint_every: int = setting(50, "Steps between two checkpoints", low=1)
    threads: int = setting(1, "Threads of torch; 0: its choice", low=0)

    @property
    def system(self) -> SystemConfig:
        """Weights and input size that the runs start from."""
        return SystemConfig(
            camera=self.camera,
            lidar=self.lidar,
            fusion=self.fusion,
            input_width=self.input_width,
            input_height=self.input_height,
            crop_top=self.crop_top,
            crop_bottom=self.crop_bottom,
        )

    @property
    def loss(self) -> EndLossConfig:
        """Settings of the end loss."""
        return EndLossConfig(recall_weight=self.recall_weight, max_range=self.max_range)

    def training(self, planned: PlannedRun, system: SystemConfig) -> TrainingConfig:
        """All settings of one run."""
        return TrainingConfig(
            run=RunConfig(
                steps=self.steps,
                batch=self.batch,
                seed=planned.seed,
                adapt_statistics=self.adapt_statistics,
                final_rate=self.final_rate,
                evaluation_frames=0,
                checkpoint_every=self.checkpoint_every,
                workers=0,
                threads=self.threads,
            ),
            system=system,
            pattern=PatternConfig(
                planned.pattern,
                schedule=self.schedule,
                block=self.block,
                learn_calibration=self.learn_calibration,
                first_steps=round(self.first_share * self.steps),
            ),
            optimizer=OptimizerConfig(
                camera_rate=self.camera_rate,
                own_camera_rate=self.own_camera_rate,
                lidar_rate=self.lidar_rate,
                fusion_rate=self.fusion_rate,
            ),
            loss=self.loss,
            augmentation=AugmentationConfig(mirror=CONDITIONS[planned.condition].mirror),
        )
