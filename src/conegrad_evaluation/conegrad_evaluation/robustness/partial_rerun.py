"""Runs a pipeline again on a changed sample: only the stages that see a difference."""

from collections.abc import Mapping
from typing import Any

from conegrad_core.cones import Cones
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System


class PartialRerun:
    """One sample through a system, and variants of it.

    Args:
        system: in evaluation mode.
        sample: intact.

    Attributes:
        cones: of the intact sample.
    """

    def __init__(self, system: System, sample: Sample) -> None:
        self._system, self._sample = system, sample
        pipeline = system.pipeline
        stages = pipeline.specification.stages
        needed = pipeline.needed_stages([system.cones_port], pipeline.specification.inputs)
        self._order = [name for name in pipeline.order if name in needed]
        ports = [port for name in self._order for port in stages[name].outputs.values()]
        self._values: Mapping[str, list[Any]] = system.values([sample], ports)
        self.cones: Cones = self._values[system.cones_port][0]

    def cones_of(self, changed: Sample) -> Cones:
        """Cones of a variant of the sample.

        Args:
            changed: inputs and context that are the same objects as in the intact sample count as
                unchanged.
        """
        pipeline, stages = self._system.pipeline, self._system.pipeline.specification.stages
        has_other_context = changed.context is not self._sample.context
        differing = {
            port for port, value in self._sample.inputs.items() if changed.inputs[port] is not value
        }
        for name in self._order:
            stage, ports = pipeline.stage(name), stages[name]
            reads_context = stage.needs_calibration or stage.joins
            if differing & set(ports.inputs.values()) or (has_other_context and reads_context):
                differing |= set(ports.outputs.values())
        kept = {port: value for port, value in self._values.items() if port not in differing}
        cones_port = self._system.cones_port
        if cones_port in kept:
            return self.cones
        values = {**self._system.inputs([changed]), **kept}
        found: Cones = pipeline(values, [changed.context], [cones_port])[cones_port][0]
        return found
