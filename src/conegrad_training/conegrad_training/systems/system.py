"""The trainable system: one pipeline, whose stages learn or stay frozen by name."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.seen_truth import seen_truth
from conegrad_core.pipeline.stage import Stage
from conegrad_training.data.sample import Sample
from conegrad_training.engine.distributed import share_statistics
from conegrad_training.systems.system_config import SystemConfig, stage_settings

CONES = "Cones"  # kind of the port that the end loss compares with the truth

Outputs = dict[str, list[Any]]  # of each port, one per sample


class TrainableSystem(nn.Module):
    """A pipeline in training.

    Attributes:
        pipeline: the graph that the nodes run.
        cones_port: port that the end loss compares with the truth.
        end_stages: learned stages whose results reach it, in their order.
        learns_calibration: corrections of the calibration learn along with their stage.

    Raises:
        PipelineError: if the pipeline has not one output of cones, or nothing in it learns.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.learns_calibration = False
        specification = pipeline.specification
        outputs = specification.outputs.values()
        cones = [port for port in outputs if pipeline.ports[port].name == CONES]
        if len(cones) != 1:
            raise PipelineError(
                f"{specification.source} has {len(cones)} outputs of kind {CONES}, expected one to "
                "compare with the truth"
            )
        self.cones_port = cones[0]
        reached = pipeline.needed_stages(cones, specification.inputs)
        self.end_stages = tuple(name for name in pipeline.learned_stages if name in reached)
        if not pipeline.learned_stages:
            raise PipelineError(f"{specification.source} has no stage that learns")
        share_statistics(self)
        self.eval()

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The stages that can learn, by name, in their order."""
        return {name: self.pipeline.stage(name) for name in self.pipeline.learned_stages}

    @property
    def end_networks(self) -> tuple[str, ...]:
        """Networks that can learn from the end loss: those whose results reach the cones."""
        return tuple(name for name in self.end_stages if self.pipeline.stage(name).is_network)

    @property
    def end_joins(self) -> tuple[str, ...]:
        """Learned stages that join the results of networks on their way to the cones."""
        return tuple(name for name in self.end_stages if self.pipeline.stage(name).joins)

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

    def writer_of(self, port: str) -> str:
        """Stage that writes a port."""
        stages = self.pipeline.specification.stages
        return next(name for name, stage in stages.items() if port in stage.outputs.values())

    def ports_of(self, stages: Iterable[str]) -> tuple[str, ...]:
        """Ports that some stages write."""
        written = (self.pipeline.specification.stages[name].outputs.values() for name in stages)
        return tuple(port for ports in written for port in ports)

    def outputs(self, samples: Sequence[Sample], stages: Collection[str] | None = None) -> Outputs:
        """Values of the ports that networks write, one forward per network.

        Args:
            samples: the batch.
            stages: whose outputs are asked for; None: the networks before the cones.
        """
        return self.values(samples, self.ports_of(self.end_networks if stages is None else stages))

    def values(self, samples: Sequence[Sample], ports: Collection[str]) -> Outputs:
        """Values of some ports; each stage that is needed runs once."""
        contexts = [sample.context for sample in samples]
        values: Outputs = self.pipeline(self.inputs(samples), contexts, ports)
        return values

    def ports_read_by(self, stages: Iterable[str]) -> tuple[str, ...]:
        """Ports that some stages read, each once."""
        read = (self.pipeline.specification.stages[name].inputs.values() for name in stages)
        return tuple(dict.fromkeys(port for ports in read for port in ports))

    def learned_before(self, stages: Iterable[str]) -> tuple[str, ...]:
        """Stages that can learn and that run for the inputs of some stages, in their order."""
        given = self.pipeline.specification.inputs
        needed = self.pipeline.needed_stages(self.ports_read_by(stages), given)
        return tuple(name for name in self.stages if name in needed)

    def join(self, samples: Sequence[Sample], outputs: Mapping[str, Sequence[Any]]) -> list[Cones]:
        """All candidates of each sample from the outputs of :meth:`outputs`."""
        values = {**self.inputs(samples), **outputs}
        contexts = [sample.context for sample in samples]
        cones: list[Cones] = self.pipeline(values, contexts, [self.cones_port])[self.cones_port]
        return cones

    def forward(self, samples: Sequence[Sample]) -> list[Cones]:
        """All candidates of each sample; differentiable in the weights of every stage."""
        return self.join(samples, self.outputs(samples))

    def truth(self, sample: Sample) -> TrueCones:
        """True cones of a sample as they count for this pipeline: those that its sensors see."""
        return seen_truth(sample.truth, self.pipeline.specification.inputs.values())

    def inputs(self, samples: Sequence[Sample]) -> Outputs:
        """Inputs of the pipeline; None where a sample has no value of a port."""
        ports = self.pipeline.specification.inputs
        return {port: [sample.inputs.get(port) for sample in samples] for port in ports}

    def save(self, folder: Path) -> dict[str, Path]:
        """Write the weights of every stage as the nodes load them, in full precision.

        Returns:
            The file of each stage.
        """
        return self.pipeline.save(folder)


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
