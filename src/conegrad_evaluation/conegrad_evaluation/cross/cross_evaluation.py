"""Cross evaluation: metrics of every combination of versions at the cost of the single passes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from conegrad_core.jobs.job import Job
from conegrad_core.jobs.runner import JobRunner, Progress, split_evenly
from conegrad_core.pipeline.layout import Layout
from conegrad_evaluation.cross.combinations import (
    Combination,
    all_combinations,
    chains_of,
    pipeline_of,
)
from conegrad_evaluation.cross.frame_values import CombinedSystem
from conegrad_evaluation.cross.part_metrics import PortOfChain
from conegrad_evaluation.cross.passes import (
    CrossPlan,
    Measured,
    Recording,
    SampleProgress,
    fill_cache,
    measure_combinations,
)
from conegrad_evaluation.cross.stage_versions import Versions
from conegrad_evaluation.metrics.counts import F1Counts
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import SampleKey
from conegrad_evaluation.system.system_metrics import SystemMetrics

T = TypeVar("T")


@dataclass(frozen=True)
class CrossEvaluation:
    """Metrics of all combinations.

    Attributes:
        versions: of each stage that is varied.
        combinations: in the order of everything else.
        metrics: of each combination, as of
            :func:`~conegrad_evaluation.system.system_metrics.measure`.
        qualities: of each combination, of its ports without labels; see
            :class:`~conegrad_evaluation.cross.part_metrics.PartMetrics`.
        counts: of F1 with colour in each frame, of each combination.
        latencies: from the inputs to the cones, of each combination [s].
        seconds: median time of a frame in each stage, by chain of stages [s].
        frames: that were evaluated.
        layout: of the pipeline.
    """

    versions: Versions
    combinations: tuple[Combination, ...]
    metrics: tuple[SystemMetrics, ...]
    qualities: tuple[dict[str, float], ...]
    counts: tuple[F1Counts, ...]
    latencies: tuple[float, ...]
    seconds: dict[str, float]
    frames: tuple[SampleKey, ...]
    layout: Layout

    @cached_property
    def scores(self) -> tuple[float, ...]:
        """F1 with colour of each combination."""
        return tuple(metrics.system.headline["f1_colour"] for metrics in self.metrics)


def cross_evaluate(
    reference: str,
    versions: Versions,
    data: Sequence[Recording],
    evaluation: EvaluationConfig,
    *,
    runner: JobRunner | None = None,
    cache: Path | None = None,
    gigabytes: float = 4.0,
    sample_progress: SampleProgress | None = None,
    job_progress: Progress | None = None,
) -> CrossEvaluation:
    """Evaluate every combination; each stage runs once for the versions that it depends on.

    Args:
        reference: of the pipeline whose stages are varied.
        versions: of these stages.
        data: recordings; each gives samples with truth by index.
        evaluation: settings of the metrics.
        runner: of jobs; None: everything runs in this process.
        cache: folder for outputs of networks, which later evaluations and other processes use;
            jobs in several processes need one.
        gigabytes: bound of the cache.
        sample_progress: shows the samples that are done, where this process does the work.
        job_progress: shows the jobs that are done, where others do.

    Raises:
        JobError: naming the job that failed.
        PipelineError: if a version does not fit the pipeline.
        ValueError: without samples, or without a cache for jobs in several processes.
    """
    combinations = tuple(all_combinations(reference, versions))
    plan = CrossPlan(reference, combinations, tuple(data), cache, gigabytes, evaluation)
    first = CombinedSystem(pipeline_of(reference, combinations[0]), combinations[0])
    if runner is None or not runner.is_parallel:
        chains = {chain for combination in combinations for chain in combination.chains.values()}
        everything = range(len(combinations))
        measured = [measure_combinations(plan, everything, chains, sample_progress)]
    else:
        if cache is None:
            raise ValueError("cache is None, expected a folder that all processes share")
        for jobs in _passes(plan, first, runner.workers):
            runner.run(jobs, job_progress)
        measured = runner.run(_measurements(plan, runner.workers), job_progress)
    return _joined(versions, combinations, first, measured)


def _passes(plan: CrossPlan, system: CombinedSystem, workers: int) -> Iterator[list[Job[int]]]:
    """Jobs that fill the cache, level by level: each needs what the level before has made."""
    levels: dict[int, list[tuple[str, int]]] = {}
    depths: dict[str, int] = {}
    for stage in system.cached:
        before = system.pipeline.upstream(stage)
        depths[stage] = 1 + max((depths[name] for name in before if name in depths), default=0)
        levels.setdefault(depths[stage], []).extend(
            (stage, place) for place in chains_of(plan.combinations, stage).values()
        )
    for _, nodes in sorted(levels.items()):
        yield list(_cache_jobs(plan, nodes, workers))


def _cache_jobs(
    plan: CrossPlan, nodes: Sequence[tuple[str, int]], workers: int
) -> Iterator[Job[int]]:
    """One per group of stages and part of a recording, at least one per worker."""
    groups = split_evenly(nodes, workers)
    parts = -(-workers // (len(groups) * max(1, len(plan.data))))
    for recording, data in enumerate(plan.data):
        for places in split_evenly(range(len(data)), parts):  # type: ignore[arg-type]
            for group in groups:
                names = ", ".join(
                    f"{stage} of {plan.combinations[place].name}" for stage, place in group[:2]
                )
                arguments = {"nodes": group, "recording": recording, "places": places}
                name = f"recording {recording}, {names}{' ...' if len(group) > 2 else ''}"
                yield Job(name, fill_cache, {"plan": plan, **arguments})


def _measurements(plan: CrossPlan, workers: int) -> list[Job[Measured]]:
    """Jobs that measure combinations; each chain of stages is measured by the first one."""
    jobs, seen = [], set[str]()
    for places in split_evenly(range(len(plan.combinations)), workers):
        chains = {c for place in places for c in plan.combinations[place].chains.values()} - seen
        seen |= chains
        first, last = plan.combinations[places[0]].name, plan.combinations[places[-1]].name
        arguments = {"plan": plan, "places": places, "chains": chains}
        jobs.append(Job(f"combinations {first} to {last}", measure_combinations, arguments))
    return jobs


def _joined(
    versions: Versions,
    combinations: tuple[Combination, ...],
    system: CombinedSystem,
    measured: Sequence[Measured],
) -> CrossEvaluation:
    """One evaluation of what the jobs measured."""
    layout = system.pipeline.layout
    seconds = {chain: value for part in measured for chain, value in part.seconds.items()}
    ports = {key: value for part in measured for key, value in part.ports.items()}
    outputs = {place: value for part in measured for place, value in part.systems.items()}
    counts = {place: value for part in measured for place, value in part.counts.items()}
    of_chains = {key: value for part in measured for key, value in part.qualities.items()}
    metrics = []
    for place, combination in enumerate(combinations):
        of_ports = _of_combination(ports, combination, layout)
        metrics.append(SystemMetrics(outputs[place], of_ports))
    return CrossEvaluation(
        versions=versions,
        combinations=combinations,
        metrics=tuple(metrics),
        qualities=tuple(_of_combination(of_chains, c, layout) for c in combinations),
        counts=tuple(counts[place] for place in range(len(combinations))),
        latencies=tuple(
            latency(layout, combination, seconds, system.writer_of(system.cones_port))
            for combination in combinations
        ),
        seconds=seconds,
        frames=tuple(measured[0].frames),
        layout=layout,
    )


def _of_combination(
    found: Mapping[PortOfChain, T], combination: Combination, layout: Layout
) -> dict[str, T]:
    """What belongs to the ports of a combination, in the order of the ports."""
    chains = {
        port: combination.chains[layout.writers[port]]
        for port in layout.kinds
        if port in layout.writers
    }
    return {port: found[port, chain] for port, chain in chains.items() if (port, chain) in found}


def latency(
    layout: Layout, combination: Combination, seconds: dict[str, float], stage: str
) -> float:
    """Time until a stage has its outputs [s]; stages that do not need each other run at once.

    Args:
        layout: of the pipeline.
        combination: whose versions run.
        seconds: of each chain of stages [s].
        stage: that is waited for.
    """
    before = {
        layout.writers[port]
        for port in layout.specification.stages[stage].inputs.values()
        if port in layout.writers
    }
    waited = max((latency(layout, combination, seconds, name) for name in before), default=0.0)
    return waited + seconds.get(combination.chains[stage], 0.0)
