"""A system of which each stage has the weights of one of several versions."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from conegrad_core.cones import Cones
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import Outputs, System

START = "start"  # version of the weights that the pipeline has at first

Versions = Mapping[str, str]  # of stages by name; START where a stage is not named
_Key = tuple[str, frozenset[tuple[str, str]]]


class MixedWeights:
    """The cones of some samples, for any choice of a version of each stage.

    What a stage makes depends on its own version and on those before it: it runs once for each
    such choice, so that another version of the joining stage does not cost the networks again.

    Attributes:
        seconds: that each stage took for all samples with the weights of :data:`START` [s].
    """

    def __init__(self, system: System, samples: Sequence[Sample]) -> None:
        """Remember the weights that the system has now as :data:`START`.

        Args:
            system: is left with some version of each stage; see :meth:`load`.
            samples: all of them go forward together.
        """
        self._system, self._samples = system, samples
        self._weights: dict[tuple[str, str], dict[str, Any]] = {}
        self._loaded: dict[str, str] = {}  # version that each stage has now
        self._known: dict[_Key, Outputs] = {}
        self.seconds: dict[str, float] = {}
        self.add(START)

    def add(self, version: str) -> None:
        """Remember the weights that the stages have now as a version.

        Weights must change between two calls of any method only if this one is the next.
        """
        for name, stage in self._system.stages.items():
            state = stage.state_dict()
            self._weights[name, version] = {key: v.clone() for key, v in state.items()}
            self._loaded[name] = version

    def load(self, versions: Versions) -> None:
        """Give every stage the weights of a version."""
        for name in self._system.stages:
            self._load(name, versions)

    def cones(self, versions: Versions) -> list[Cones]:
        """Candidates of each sample."""
        port = self._system.cones_port
        found: list[Cones] = self._values(self._system.writer_of(port), versions)[port]
        return found

    def written(self, stages: Iterable[str]) -> Outputs:
        """What stages write with the weights of the start, by port."""
        found: Outputs = {}
        for name in stages:
            found |= self._values(name, {})
        return found

    def _load(self, name: str, versions: Versions) -> None:
        version, stage = versions.get(name, START), self._system.pipeline.stage(name)
        if self._loaded[name] != version:
            stage.load_state_dict(self._weights[name, version])
            self._loaded[name] = version
        stage.eval()

    @torch.no_grad()
    def _values(self, name: str, versions: Versions) -> Outputs:
        """What a stage writes."""
        pipeline = self._system.pipeline
        before = {name, *pipeline.upstream(name)} & self._system.stages.keys()
        key = (name, frozenset((stage, versions.get(stage, START)) for stage in before))
        if key not in self._known:
            values = self._system.inputs(self._samples)
            for port in pipeline.specification.stages[name].inputs.values():
                if port not in values:
                    values[port] = self._values(self._system.writer_of(port), versions)[port]
            if name in self._system.stages:
                self._load(name, versions)
            contexts, started = [s.context for s in self._samples], time.perf_counter()
            self._known[key] = pipeline.run_stage(name, values, contexts)
            if all(version == START for _, version in key[1]):
                self.seconds[name] = time.perf_counter() - started
        return self._known[key]
