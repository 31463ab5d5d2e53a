"""A system that runs stages without anything to learn before them once per sample."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.stage import Stage
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import Outputs
from conegrad_training.systems.system import TrainableSystem

OutputStore = dict[tuple[str, SampleKey], Any]  # value of a port of a sample


class KeptOutputs(TrainableSystem):
    """A trainable system of which only some stages will learn.

    What the stages make that do not learn, and that read nothing of a stage that does, stays the
    same in every epoch: it is computed once per sample and kept in memory. Weights of those stages
    must not change meanwhile, and a sample must be the same whenever its key returns.

    Its stages, weights and buffers are those of the stages that go forward in every step: a step
    does not visit every layer of a network that stays.
    """

    _fixed: frozenset[str] = frozenset()

    def __init__(
        self, pipeline: Pipeline, learning: Collection[str], store: OutputStore | None = None
    ) -> None:
        """Find out what stays.

        Args:
            pipeline: shared with whoever has it.
            learning: stages that will learn.
            store: of systems that share the pipeline with the weights that it has now; what stays
                in one of them has the same values in the others.

        Raises:
            PipelineError: as of :class:`TrainableSystem`.
        """
        super().__init__(pipeline)
        learns = frozenset(learning)
        self._fixed = frozenset(
            name
            for name in pipeline.order
            if name not in learns and not learns & pipeline.upstream(name)
        )
        others = [name for name in pipeline.order if name not in self._fixed]
        read = {*self.ports_read_by(others), *self.ports_of(self.end_networks)}
        self._ports = tuple(port for port in self.ports_of(self._fixed) if port in read)
        self._store: OutputStore = {} if store is None else store

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The learned stages that go forward in every step, by name, in their order."""
        return {name: stage for name, stage in super().stages.items() if name not in self._fixed}

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Weights of :attr:`stages`."""
        for stage in self.stages.values():
            yield from stage.parameters(recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers of :attr:`stages`."""
        for stage in self.stages.values():
            yield from stage.buffers(recurse)

    def inputs(self, samples: Sequence[Sample]) -> Outputs:
        """Inputs of the pipeline, and what the stages that stay make of them."""
        given = super().inputs(samples)
        if not self._ports:
            return given
        self.keep(samples)
        kept = {port: [self._store[port, sample.key] for sample in samples] for port in self._ports}
        return {**given, **kept}

    @torch.no_grad()
    def keep(self, samples: Sequence[Sample]) -> None:
        """Compute what stays of the samples of which it is not known, all of them together."""
        missing = {
            sample.key: sample
            for sample in samples
            if any((port, sample.key) not in self._store for port in self._ports)
        }
        if missing:
            rows = list(missing.values())
            contexts = [sample.context for sample in rows]
            values = self.pipeline(super().inputs(rows), contexts, self._ports)
            for port, of_port in values.items():
                for sample, value in zip(rows, of_port, strict=True):
                    self._store[port, sample.key] = value
