"""Values of the ports of one sample under any combination, each computed once."""

import time
from typing import Any

from conegrad_core.pipeline.graph import Pipeline
from conegrad_evaluation.cross.combinations import Combination
from conegrad_evaluation.cross.port_cache import PortCache
from conegrad_evaluation.cross.stored_values import (
    StageValues,
    can_be_stored,
    from_bytes,
    to_bytes,
)
from conegrad_evaluation.cross.value_digest import value_digest
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System


class CombinedSystem(System):
    """The system of a combination.

    Args:
        pipeline: of the combination.
        combination: whose chains name what is computed.
    """

    def __init__(self, pipeline: Pipeline, combination: Combination) -> None:
        super().__init__(pipeline)
        self.combination = combination
        self.cached = tuple(
            name
            for name in pipeline.networks
            if all(can_be_stored(pipeline.ports[port]) for port in self.ports_of([name]))
        )


class FrameValues:
    """Values of one sample.

    A stage runs when a value of it is asked for, once for all combinations that agree in it and in
    the stages before it, and with the same operations as in the evaluation of one system. What
    networks make is kept in the cache; everything else is cheaper to compute again.

    Args:
        sample: the sample.
        cache: of outputs of networks; None: nothing is kept.
    """

    def __init__(self, sample: Sample, cache: PortCache | None = None) -> None:
        self._sample, self._cache = sample, cache
        self._known: dict[str, StageValues] = {}
        self._digests: dict[str, str] = {}

    @property
    def known(self) -> dict[str, StageValues]:
        """Outputs so far, by the chain of their stage."""
        return dict(self._known)

    def value(self, system: CombinedSystem, port: str) -> Any:
        """Value of a port; None where there is none."""
        writer = system.pipeline.layout.writers.get(port)
        if writer is None:
            return self._sample.inputs.get(port)
        return self.of_stage(system, writer).values[port]

    def of_stage(self, system: CombinedSystem, stage: str) -> StageValues:
        """Outputs of a stage."""
        chain = system.combination.chains[stage]
        if chain not in self._known:
            is_cached = self._cache is not None and stage in system.cached
            made = self._kept(system, stage) if is_cached else self._computed(system, stage)
            self._known[chain] = made
        return self._known[chain]

    def _kept(self, system: CombinedSystem, stage: str) -> StageValues:
        """From the cache, or computed and put there."""
        assert self._cache is not None
        key = f"{system.combination.chains[stage]}:{self._inputs_digest(system, stage)}"
        ports = {port: system.pipeline.ports[port] for port in system.ports_of([stage])}
        content = self._cache.get(key)
        if content is not None:
            return from_bytes(content, ports)
        made = self._computed(system, stage)
        self._cache.put(key, to_bytes(made, ports))
        return made

    def _computed(self, system: CombinedSystem, stage: str) -> StageValues:
        read = system.pipeline.specification.stages[stage].inputs.values()
        values = {port: [self.value(system, port)] for port in read}
        start = time.perf_counter()
        made = system.pipeline.run_stage(stage, values, [self._sample.context])
        seconds = time.perf_counter() - start
        return StageValues({port: found[0] for port, found in made.items()}, seconds)

    def _inputs_digest(self, system: CombinedSystem, stage: str) -> str:
        """Of everything from outside that a stage depends on."""
        pipeline = system.pipeline
        chain = [stage, *sorted(pipeline.upstream(stage))]
        read = {
            port for name in chain for port in pipeline.specification.stages[name].inputs.values()
        }
        digests = [
            self._digest(port) for port in sorted(read & pipeline.specification.inputs.keys())
        ]
        if any(pipeline.stage(name).needs_calibration for name in chain):
            digests.append(self._digest(""))
        return value_digest(digests)

    def _digest(self, port: str) -> str:
        """Of an input of the pipeline; of the context for no port."""
        if port not in self._digests:
            given = self._sample.inputs.get(port) if port else self._sample.context
            self._digests[port] = value_digest(given)
        return self._digests[port]
