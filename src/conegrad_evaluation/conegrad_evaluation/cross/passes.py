"""The passes of a cross evaluation over samples: outputs of networks first, then all systems."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from conegrad_evaluation.cross.combinations import Combination, pipeline_of
from conegrad_evaluation.cross.frame_values import CombinedSystem, FrameValues
from conegrad_evaluation.cross.part_metrics import PartMetrics, PortOfChain
from conegrad_evaluation.cross.port_cache import PortCache
from conegrad_evaluation.metrics.counts import F1Counts, f1_counts
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.metrics.records import collect
from conegrad_evaluation.port_metrics import ConesMetric, PortResult
from conegrad_evaluation.samples.sample import Sample, SampleKey

TIMED_FRAMES = 20  # in which every stage runs, also one whose reader is in the cache

Recording = Dataset[Sample]
SampleProgress = Callable[[Iterable[Sample], int], Iterable[Sample]]


@dataclass(frozen=True)
class CrossPlan:
    """What every job of a cross evaluation knows.

    Attributes:
        reference: of the pipeline whose stages are varied.
        combinations: all of them.
        data: recordings; each gives its samples by index.
        cache: folder of the cache; None: nothing is kept on disk.
        gigabytes: bound of the cache.
        evaluation: settings of the metrics.
    """

    reference: str
    combinations: tuple[Combination, ...]
    data: tuple[Recording, ...]
    cache: Path | None
    gigabytes: float
    evaluation: EvaluationConfig

    def open_cache(self) -> AbstractContextManager[PortCache | None]:
        """The cache, for one process."""
        return PortCache(self.cache, self.gigabytes) if self.cache else nullcontext()

    def system(self, place: int) -> CombinedSystem:
        """System of a combination by its place."""
        combination = self.combinations[place]
        system = CombinedSystem(pipeline_of(self.reference, combination), combination)
        system.pipeline.accelerate()
        return system

    @property
    def count(self) -> int:
        """Number of samples."""
        counts: list[int] = [len(part) for part in self.data]  # type: ignore[arg-type]
        return sum(counts)


@dataclass(frozen=True)
class Measured:
    """What one job measured.

    Attributes:
        systems: figures of the output of each combination, by its place.
        counts: of F1 with colour in each frame, likewise.
        ports: figures of a port, by port and chain of the stage that writes it.
        qualities: of a port by the truth alone, likewise; see :class:`PartMetrics`.
        seconds: median time of each chain of stages [s].
        frames: in their order.
    """

    systems: dict[int, PortResult]
    counts: dict[int, F1Counts]
    ports: dict[PortOfChain, PortResult | None]
    qualities: dict[PortOfChain, float]
    seconds: dict[str, float]
    frames: list[SampleKey]


@torch.no_grad()
def fill_cache(
    plan: CrossPlan, nodes: Sequence[tuple[str, int]], recording: int, places: Sequence[int]
) -> int:
    """Put outputs of stages into the cache.

    Args:
        plan: of the evaluation.
        nodes: stage, and place of a combination.
        recording: position of the recording.
        places: of its samples.

    Returns:
        Number of outputs that are there now.
    """
    systems = {place: plan.system(place) for _, place in nodes}
    with plan.open_cache() as cache:
        for place in places:
            values = FrameValues(plan.data[recording][place], cache)
            for stage, of_combination in nodes:
                values.of_stage(systems[of_combination], stage)
    return len(nodes) * len(places)


@torch.no_grad()
def measure_combinations(
    plan: CrossPlan,
    places: Sequence[int],
    chains: Collection[str],
    progress: SampleProgress | None = None,
) -> Measured:
    """Metrics of combinations, and of ports before their output.

    Args:
        plan: of the evaluation.
        places: of the combinations.
        chains: of stages whose ports are measured; other jobs measure the others.
        progress: wraps the samples to show progress; given them and their number.

    Raises:
        PipelineError: if a version changed, or a metric misses an input of its stage.
        ValueError: without samples.
    """
    systems = {place: plan.system(place) for place in places}
    outputs = {place: ConesMetric(plan.evaluation) for place in places}
    parts = PartMetrics(systems.values(), chains, plan.evaluation)
    seconds: dict[str, list[float]] = {}
    frames: list[SampleKey] = []
    samples = _samples(plan)
    truth_of = next(iter(systems.values())).truth
    with plan.open_cache() as cache:
        for sample in progress(samples, plan.count) if progress else samples:
            values, truth = FrameValues(sample, cache), truth_of(sample)
            for place, system in systems.items():
                outputs[place].add(values.value(system, system.cones_port), truth)
            parts.add(sample, truth, values)
            if len(frames) < TIMED_FRAMES:
                _run_all(systems.values(), values)
            for chain, made in values.known.items():
                seconds.setdefault(chain, []).append(made.seconds)
            frames.append(sample.key)
    return Measured(
        {place: _of_output(metric) for place, metric in outputs.items()},
        {place: _counts(metric, plan.evaluation) for place, metric in outputs.items()},
        parts.results(),
        parts.qualities(),
        {chain: float(np.median(of_chain)) for chain, of_chain in seconds.items()},
        frames,
    )


def _samples(plan: CrossPlan) -> Iterator[Sample]:
    """All samples, recording by recording."""
    for data in plan.data:
        for place in range(len(data)):  # type: ignore[arg-type]
            yield data[place]


def _run_all(systems: Iterable[CombinedSystem], values: FrameValues) -> None:
    """Run every stage before the cones."""
    for system in systems:
        inputs = system.pipeline.specification.inputs
        for stage in system.pipeline.needed_stages([system.cones_port], inputs):
            values.of_stage(system, stage)


def _of_output(metric: ConesMetric) -> PortResult:
    result = metric.result()
    if result is None:
        raise ValueError("there are no samples, expected at least one to measure")
    return result


def _counts(metric: ConesMetric, config: EvaluationConfig) -> F1Counts:
    records = collect(metric.frames, config)
    return f1_counts(records, records.cones.is_right)
