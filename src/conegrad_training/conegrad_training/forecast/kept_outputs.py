"""A system that runs stages without anything to learn before them once per sample."""

from collections.abc import Collection, Sequence
from typing import Any

import torch

from conegrad_core.pipeline.graph import Pipeline
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import Outputs
from conegrad_training.systems.system import TrainableSystem

OutputStore = dict[tuple[str, SampleKey], Any]  # value of a port of a sample


class KeptOutputs(TrainableSystem):
    """A trainable system of which only some stages will learn.

    What the stages make that do not learn, and that read nothing of a stage that does, stays the
    same in every epoch: it is computed once per sample and kept in memory. Weights of those stages
    must not change meanwhile, and a sample must be the same whenever its key returns.
    """

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
        fixed = [
            name
            for name in pipeline.order
            if name not in learns and not learns & pipeline.upstream(name)
        ]
        others = [name for name in pipeline.order if name not in fixed]
        read = {*self.ports_read_by(others), *self.ports_of(self.end_networks)}
        self._ports = tuple(port for port in self.ports_of(fixed) if port in read)
        self._store: OutputStore = {} if store is None else store

    def inputs(self, samples: Sequence[Sample]) -> Outputs:
        """Inputs of the pipeline, and what the stages that stay make of them."""
        given = super().inputs(samples)
        if not self._ports:
            return given
        for sample in samples:
            missing = [port for port in self._ports if (port, sample.key) not in self._store]
            if missing:
                self._keep(sample, missing)
        kept = {port: [self._store[port, sample.key] for sample in samples] for port in self._ports}
        return {**given, **kept}

    @torch.no_grad()
    def _keep(self, sample: Sample, ports: Collection[str]) -> None:
        values = self.pipeline(super().inputs([sample]), [sample.context], ports)
        self._store.update({(port, sample.key): values[port][0] for port in ports})
