"""Metrics of a system and of its ports on samples."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch

from conegrad_core.pipeline.errors import PipelineError
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import PORT_METRICS, PortMetric, PortResult, port_metric
from conegrad_training.data.sample import Sample
from conegrad_training.systems.system import TrainableSystem

PORTS = {"cones": "Cones", "detections": "Detections", "segmentation": "SegmentedScan"}
OUTPUT = "cones"
FORMER_KEYS = {"detections": "boxes", "segmentation": "beams"}  # of version 0.1, until 0.3


class SystemMetrics(NamedTuple):
    """Figures of the output of a system and of the ports before it.

    Attributes:
        system: of the output.
        ports: of the other ports that have a metric, by name; None without truth of the kind.
    """

    system: PortResult
    ports: Mapping[str, PortResult | None]

    def headline(self) -> dict[str, float]:
        """The figures to compare runs by; with the port in front where a name occurs twice."""
        found = dict(self.system.headline)
        for port, result in self.ports.items():
            for name, value in result.headline.items() if result else ():
                found[f"{port}.{name}" if name in found else name] = value
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        details = {port: result and result.details for port, result in self.ports.items()}
        former = {key: details[port] for port, key in FORMER_KEYS.items() if port in details}
        system = self.system.details
        return {"headline": self.headline(), "system": system, "ports": details, **former}


@torch.no_grad()
def measure(
    system: TrainableSystem, samples: Iterable[Sample], config: EvaluationConfig
) -> SystemMetrics:
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
    if port_metric(PORTS[OUTPUT]) is None:
        raise PipelineError(
            f"no package registers a port metric for {PORTS[OUTPUT]}, expected one in the group "
            f"{PORT_METRICS}; is conegrad_evaluation built?"
        )
    metrics = new_metrics(PORTS, config)
    for sample in samples:
        outputs = system.outputs([sample])[0]
        values = dict(zip(PORTS, (system.fuse(sample, outputs), *outputs), strict=True))
        truths = {"cones": sample.truth, **(sample.labels._asdict() if sample.labels else {})}
        for port, metric in metrics.items():
            if metric.truth_kind in truths:
                metric.add(values[port], truths[metric.truth_kind])
    results = {port: metric.result() for port, metric in metrics.items()}
    of_output = results.pop(OUTPUT)
    if of_output is None:
        raise ValueError("samples is empty, expected at least one to measure")
    return SystemMetrics(of_output, results)


def new_metrics(kinds: Mapping[str, str], config: EvaluationConfig) -> dict[str, PortMetric]:
    """A metric for each port of a kind that has one, by name of the port.

    Args:
        kinds: of the ports, by name.
        config: settings of the metrics.
    """
    found = {port: port_metric(kind) for port, kind in kinds.items()}
    return {port: metric(config) for port, metric in found.items() if metric is not None}
