"""A system: a pipeline of any shape whose cones are compared with the truth."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.seen_truth import seen_truth
from conegrad_core.pipeline.stage import Stage
from conegrad_evaluation.samples.sample import Sample

CONES = "Cones"  # kind of the port that is compared with the truth

Outputs = dict[str, list[Any]]  # of each port, one per sample


class System(nn.Module):
    """A pipeline on samples.

    Attributes:
        pipeline: the graph that the nodes run.
        cones_port: port that is compared with the truth.
        end_stages: learned stages whose results reach it, in their order.

    Raises:
        PipelineError: if the pipeline has not one output of cones.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.pipeline = pipeline
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
        """True cones of a sample as they count for this pipeline: those that its sensors see.

        A sensor that was lost, whose port has None in the sample, sees none.
        """
        kinds, given = self.pipeline.specification.inputs, sample.inputs
        seeing = [kind for port, kind in kinds.items() if given.get(port, True) is not None]
        return seen_truth(sample.truth, seeing)

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
