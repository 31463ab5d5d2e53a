"""Metrics of the ports before the cones, one per chain of stages."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from conegrad_core.cones import TrueCones
from conegrad_evaluation.cross.frame_values import CombinedSystem, FrameValues
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import PortMetric, PortResult
from conegrad_evaluation.port_truths.port_truth import PortCounts, PortTruth, port_truth
from conegrad_evaluation.port_truths.scene import TrueScene
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system_metrics import inputs_of_metric, new_metrics

PortOfChain = tuple[str, str]  # port, and the chain of the stage that writes it


class _Labelled(NamedTuple):
    """A metric by labels, and the ports that it needs beside its own."""

    system: CombinedSystem
    metric: PortMetric
    inputs: list[str]


class PartMetrics:
    """Figures of the ports that networks write.

    Where the samples have labels of a port, its figures are those of its metric. Recordings have
    none: a port whose kind can be compared with the true cones has a *quality* instead, the
    harmonic mean of precision and recall of what it says
    (:meth:`~conegrad_evaluation.port_truths.port_truth.PortTruth.count`).

    Args:
        systems: of which each chain is measured once.
        chains: that are measured.
        config: settings of the metrics.
    """

    def __init__(
        self,
        systems: Iterable[CombinedSystem],
        chains: Collection[str],
        config: EvaluationConfig,
    ) -> None:
        self._labelled: dict[PortOfChain, _Labelled] = {}
        self._truths: dict[PortOfChain, tuple[CombinedSystem, PortTruth]] = {}
        self._counts: dict[PortOfChain, list[PortCounts]] = {}
        for system in systems:
            kinds = {p: system.pipeline.ports[p].name for p in system.ports_of(system.end_networks)}
            metrics = new_metrics(kinds, config)
            for port, kind in kinds.items():
                key = port, system.combination.chains[system.writer_of(port)]
                if key[1] not in chains or key in self._labelled or key in self._truths:
                    continue
                if metric := metrics.get(port):
                    inputs = inputs_of_metric(system, port, metric)
                    self._labelled[key] = _Labelled(system, metric, inputs)
                if truth := port_truth(kind):
                    self._truths[key] = system, truth()

    def add(self, sample: Sample, truth: TrueCones, values: FrameValues) -> None:
        """Compare every port with its labels, and with the truth where it has none.

        Args:
            sample: with its labels.
            truth: true cones as they count for the pipeline.
            values: of its ports.
        """
        labels = sample.labels or {}
        for (port, _), (system, metric, inputs) in self._labelled.items():
            if metric.truth_kind in labels:
                value = values.value(system, port)
                if value is not None:
                    made_from = [values.value(system, given) for given in inputs]
                    metric.add(value, labels[metric.truth_kind], *made_from)
        scene = TrueScene(truth, sample.context.calibration, sample.context.motion)
        for key, (system, of_port) in self._truths.items():
            if key in self._labelled and self._labelled[key].metric.truth_kind in labels:
                continue
            value = values.value(system, key[0])
            counts = of_port.count(scene, value) if value is not None else None
            if counts is not None:
                self._counts.setdefault(key, []).append(counts)

    def results(self) -> dict[PortOfChain, PortResult | None]:
        """Figures by port and chain; None without labels."""
        return {key: labelled.metric.result() for key, labelled in self._labelled.items()}

    def qualities(self) -> dict[PortOfChain, float]:
        """Quality by port and chain, where the truth was compared."""
        sums = {
            key: PortCounts(*(sum(column) for column in zip(*of_key, strict=True)))
            for key, of_key in self._counts.items()
        }
        return {key: counts.quality for key, counts in sums.items()}
