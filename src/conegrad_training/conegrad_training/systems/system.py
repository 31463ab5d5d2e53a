"""The trainable system: one pipeline, whose stages learn or stay frozen by name."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_evaluation.system.system import System
from conegrad_training.engine.distributed import share_statistics
from conegrad_training.systems.system_config import SystemConfig, stage_settings


class TrainableSystem(System):
    """A system in training.

    Attributes:
        learns_calibration: corrections of the calibration learn along with their stage.

    Raises:
        PipelineError: if the pipeline has not one output of cones, or nothing in it learns.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self.learns_calibration = False
        if not pipeline.learned_stages:
            raise PipelineError(f"{pipeline.specification.source} has no stage that learns")
        share_statistics(self)
        self.eval()

    @property
    def supervised_stages(self) -> tuple[str, ...]:
        """Learned stages with a supervised loss, in their order."""
        return tuple(name for name, stage in self.stages.items() if stage.has_supervised_loss())

    def train_only(
        self,
        stages: Collection[str],
        *,
        adapt_statistics: bool = False,
        waits: Collection[str] = (),
    ) -> None:
        """Make some stages learn and freeze the others, batch-norm statistics included.

        Args:
            stages: names of the stages that learn.
            adapt_statistics: batch-norm layers of these stages use and follow the statistics of
                each batch; else they keep those they have, and only their weights learn.
            waits: frozen stages that learn in other steps. With ``adapt_statistics`` they use the
                statistics of the batch as in their own steps, but keep those they have: a stage
                learns beside the other ones as they will be, not beside what their statistics,
                which lag behind, make of them.

        Raises:
            ValueError: for a stage that does not exist or does not learn.
        """
        known = self.stages
        unknown = sorted(set(stages) - known.keys())
        if unknown:
            raise ValueError(f"stages has {unknown[0]!r}, expected some of {', '.join(known)}")
        for name, stage in known.items():
            learns = name in stages
            stage.train(adapt_statistics and (learns or name in waits))
            follow_statistics(stage, follows=learns)
            stage.requires_grad_(learns)
            for weight in stage.calibration_weights():
                weight.requires_grad_(learns and self.learns_calibration)


def load_system(config: SystemConfig | None = None) -> TrainableSystem:
    """System from weights files, everything in evaluation mode.

    Raises:
        FileNotFoundError: if a weights file does not exist.
        PipelineError: if the pipeline cannot be built.
        ValueError: if a file is of another kind.
    """
    config = config or SystemConfig()
    settings = stage_settings(config)
    return TrainableSystem(load_pipeline(config.pipeline, settings, trainable=True))


@contextmanager
def statistics_kept(module: nn.Module) -> Iterator[None]:
    """Within it batch-norm layers normalise as they do, but remember nothing of it."""
    following = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    for layer in following:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in following:
            layer.track_running_stats = True


def follow_statistics(module: nn.Module, *, follows: bool) -> None:
    """Whether batch-norm layers that use the statistics of a batch also remember them."""
    for layer in module.modules():
        if isinstance(layer, _BatchNorm):
            layer.track_running_stats = follows
