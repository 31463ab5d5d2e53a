"""Metrics of a system and of its ports on samples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from conegrad_core.pipeline.errors import PipelineError
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.paired.frame_scores import FrameScores
from conegrad_evaluation.port_metrics import (
    PORT_METRICS,
    ConesMetric,
    PortMetric,
    PortResult,
    port_metric,
)
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import System

FORMER_KEYS = {"detections": "boxes", "segmentation": "beams"}  # of version 0.1, until 0.3


class SystemMetrics(NamedTuple):
    """Figures of the output of a system and of the ports before it.

    Attributes:
        system: of the output.
        ports: of the other ports that have a metric, by name; None without truth of the kind.
        frames: counts of each frame, where the output is measured by matched cones.
    """

    system: PortResult
    ports: Mapping[str, PortResult | None]
    frames: FrameScores | None = None

    def headline(self) -> dict[str, float]:
        """The figures to compare runs by; with the port in front where a name occurs twice."""
        found = dict(self.system.headline)
        for (port, name), figure in self._names().items():
            result = self.ports[port]
            found[figure] = result.headline[name] if result else float("nan")
        return found

    def ports_of_figures(self) -> dict[str, str]:
        """Port of each figure of the headline that is not of the output."""
        return {figure: port for (port, _), figure in self._names().items()}

    def _names(self) -> dict[tuple[str, str], str]:
        """Name in the headline of each figure of a port."""
        taken, names = set(self.system.headline), {}
        for port, result in self.ports.items():
            for name in result.headline if result else ():
                names[port, name] = f"{port}.{name}" if name in taken else name
                taken.add(names[port, name])
        return names

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        details = {port: result and result.details for port, result in self.ports.items()}
        former = {key: details[port] for port, key in FORMER_KEYS.items() if port in details}
        system = self.system.details
        frames = {"frames": self.frames.to_dict()} if self.frames else {}
        headline = self.headline()
        return {"headline": headline, "system": system, "ports": details, **former, **frames}


@torch.no_grad()
def measure(system: System, samples: Iterable[Sample], config: EvaluationConfig) -> SystemMetrics:
    """Run the system as the car does and compare every port with its truth.

    Args:
        system: is left in evaluation mode.
        samples: with truth; ports before the output are measured where there are labels.
        config: settings of the metrics.

    Raises:
        PipelineError: if no package registers a metric for the output.
        ValueError: without samples.
    """
    system.eval()
    output, kinds = system.cones_port, system.pipeline.ports
    if port_metric(kinds[output].name) is None:
        raise PipelineError(
            f"no package registers a port metric for {kinds[output].name}, expected one in the "
            f"group {PORT_METRICS}; is conegrad_evaluation built?"
        )
    ports = (output, *system.ports_of(system.pipeline.networks))
    metrics = new_metrics({port: kinds[port].name for port in ports}, config)
    inputs = {port: inputs_of_metric(system, port, metric) for port, metric in metrics.items()}
    asked = {*system.ports_of(system.end_networks), *metrics}.union(*inputs.values())
    keys: list[SampleKey] = []
    for sample in samples:
        keys.append(sample.key)
        before = system.values([sample], [port for port in kinds if port in asked - {output}])
        values = {**before, output: system.join([sample], before)}
        truths = {"cones": system.truth(sample), **(sample.labels or {})}
        for port, metric in metrics.items():
            if metric.truth_kind in truths and values[port][0] is not None:
                made_from = [values[given][0] for given in inputs[port]]
                metric.add(values[port][0], truths[metric.truth_kind], *made_from)
    results = {port: metric.result() for port, metric in metrics.items()}
    frames = _frames(metrics[output], keys, config)
    of_output = results.pop(output)
    if of_output is None:
        raise ValueError("samples is empty, expected at least one to measure")
    return SystemMetrics(of_output, results, frames)


def _frames(
    metric: PortMetric, keys: Sequence[SampleKey], config: EvaluationConfig
) -> FrameScores | None:
    if not isinstance(metric, ConesMetric) or len(metric.frames) != len(keys):
        return None
    bags, stamps = [key.bag for key in keys], [key.stamp_ns for key in keys]
    return FrameScores.of(bags, stamps, metric.frames, config)


def inputs_of_metric(system: System, port: str, metric: PortMetric) -> list[str]:
    """Ports that a metric needs beside its own.

    Raises:
        PipelineError: if the stage that writes the port reads no such kind.
    """
    name, found = system.writer_of(port), []
    read = system.pipeline.specification.stages[name].inputs.values()
    for kind in metric.input_kinds:
        of_kind = [given for given in read if system.pipeline.ports[given].name == kind]
        if len(of_kind) != 1:
            raise PipelineError(
                f"port {port}: {type(metric).__name__} needs one input of kind {kind} of the stage "
                f"{name}, found {len(of_kind)}"
            )
        found += of_kind
    return found


def new_metrics(kinds: Mapping[str, str], config: EvaluationConfig) -> dict[str, PortMetric]:
    """A metric for each port of a kind that has one, by name of the port.

    Args:
        kinds: of the ports, by name.
        config: settings of the metrics.
    """
    found = {port: port_metric(kind) for port, kind in kinds.items()}
    return {port: metric(config) for port, metric in found.items() if metric is not None}
