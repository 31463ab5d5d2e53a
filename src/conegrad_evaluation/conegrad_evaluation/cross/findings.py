"""What a cross evaluation shows: the best system, also within a latency, and its best parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from conegrad_evaluation.cross.cross_evaluation import CrossEvaluation
from conegrad_evaluation.cross.stage_versions import StageVersion
from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.paired.frame_scores import drives_of
from conegrad_evaluation.paired.paired_difference import (
    PairedRates,
    interval_of,
    paired_differences,
)

CONFIDENCE = 0.95
LOWER_IS_BETTER = ("error", "rmse")  # words in the names of figures


class BestPart(NamedTuple):
    """The version of a stage that is best by itself.

    Attributes:
        version: of the stage.
        figure: by which it is the best one.
        value: of the figure.
        runner_up: value of the next one; NaN where there is none.
    """

    version: StageVersion
    figure: str
    value: float
    runner_up: float


class Comparison(NamedTuple):
    """A system against the best one, on the same frames.

    Attributes:
        place: of the system.
        difference: in F1 with colour, the system minus the best one.
        interval: that holds for the comparisons of all systems with the best one at once: the
            best one was chosen on these frames.
    """

    place: int
    difference: float
    interval: Interval

    @property
    def is_sure(self) -> bool:
        """The system is worse than the best one."""
        return self.interval.high < 0


@dataclass(frozen=True)
class Findings:
    """Of a cross evaluation.

    Attributes:
        best: place of the best system.
        within: place of the best system whose latency is within the budget; None: there is none.
        budget: latency that was allowed [s]; None: any.
        parts: the best version of each varied stage by a figure of its own port.
        of_parts: the system of these versions against the best one; None without such figures.
        averages: the best version of each varied stage by the mean F1 with colour over the
            versions of the other stages.
        of_averages: the system of these versions, likewise.
    """

    best: int
    within: int | None
    budget: float | None
    parts: tuple[BestPart, ...]
    of_parts: Comparison | None
    averages: tuple[BestPart, ...]
    of_averages: Comparison


def find(evaluation: CrossEvaluation, budget: float | None = None) -> Findings:
    """Compare the systems of a cross evaluation.

    Args:
        evaluation: of all combinations.
        budget: largest latency of a system [s]; None: any.
    """
    places = range(len(evaluation.combinations))
    best = _best(evaluation, places)
    assert best is not None
    allowed = [p for p in places if budget is None or evaluation.latencies[p] <= budget]
    parts = tuple(part for stage in evaluation.versions if (part := _best_part(evaluation, stage)))
    averages = tuple(_best_on_average(evaluation, stage) for stage in evaluation.versions)
    return Findings(
        best=best,
        within=_best(evaluation, allowed),
        budget=budget,
        parts=parts,
        of_parts=_compared(evaluation, parts, best) if parts else None,
        averages=averages,
        of_averages=_compared(evaluation, averages, best),
    )


def sentences(evaluation: CrossEvaluation, findings: Findings) -> list[str]:
    """The findings for people, the most important one first."""
    best, scores = findings.best, evaluation.scores
    lines = [f"Best system: {_system(evaluation, best)}."]
    if findings.budget is not None:
        allowed = f"within {findings.budget * 1e3:.1f} ms"
        if findings.within is None:
            fastest = int(np.argmin(evaluation.latencies))
            lines.append(
                f"No system stays {allowed}; the fastest is {_system(evaluation, fastest)}."
            )
        elif findings.within == best:
            lines.append(f"It is also the best system {allowed}.")
        else:
            lost = scores[best] - scores[findings.within]
            system = _system(evaluation, findings.within)
            lines.append(f"Best system {allowed}: {system}, {lost:.3f} below the best of all.")
    if findings.of_parts is None:
        lines.append("No part has a figure of its own: the samples have no labels of these parts.")
    else:
        lines.append(
            _about_parts(evaluation, findings.parts, findings.of_parts, best, "by themselves")
        )
    averages, of_averages = findings.averages, findings.of_averages
    lines.append(_about_parts(evaluation, averages, of_averages, best, "on average over systems"))
    return lines


def compare_systems(evaluation: CrossEvaluation, place: int, best: int) -> Comparison:
    """Difference of a system to the best one in F1 with colour.

    Args:
        evaluation: of all combinations.
        place: of the system.
        best: place of the best system.
    """
    if place == best:
        return Comparison(place, 0.0, Interval(0.0, 0.0))
    counts = [evaluation.counts[best], evaluation.counts[place]]
    hits = np.stack([2.0 * of_system.hits for of_system in counts])[..., None]
    totals = np.stack([of_system.totals.astype(np.float64) for of_system in counts])[..., None]
    rates = PairedRates(hits, totals, totals.mean(axis=0))
    bags = [frame.bag for frame in evaluation.frames]
    stamps = [frame.stamp_ns for frame in evaluation.frames]
    found = paired_differences(rates, drives_of(bags, stamps))
    difference = float(found.new[0] - found.old[0])
    tail = (1 - CONFIDENCE) / 2 / max(1, len(evaluation.combinations) - 1)
    error, blocks = float(found.errors[0]), float(found.blocks[0])
    return Comparison(place, difference, interval_of(difference, error, blocks, tail))


def _best(evaluation: CrossEvaluation, places: Sequence[int]) -> int | None:
    """The highest score; of equal ones the lowest latency."""
    return max(
        places,
        key=lambda place: (evaluation.scores[place], -evaluation.latencies[place]),
        default=None,
    )


def _best_part(evaluation: CrossEvaluation, stage: str) -> BestPart | None:
    """The best version by the first figure of the stage's ports; None without any."""
    ports = evaluation.layout.specification.stages[stage].outputs.values()
    values: dict[StageVersion, list[float]] = {}
    named = ""
    for place, combination in enumerate(evaluation.combinations):
        figures = _own_figures(evaluation, place, ports)
        if figures:
            named, value = next(iter(figures.items()))
            values.setdefault(combination.chosen[stage], []).append(value)
    return _ranked(values, named) if values else None


def _own_figures(evaluation: CrossEvaluation, place: int, ports: Iterable[str]) -> dict[str, float]:
    """Figures of the ports of a stage: by labels, else by the truth."""
    found: dict[str, float] = {}
    for port in ports:
        result = evaluation.metrics[place].ports.get(port)
        if result is not None:
            found |= result.headline
        elif port in evaluation.qualities[place]:
            found[f"{port} quality"] = evaluation.qualities[place][port]
    return found


def _best_on_average(evaluation: CrossEvaluation, stage: str) -> BestPart:
    """The best version by the mean score of its systems."""
    values: dict[StageVersion, list[float]] = {}
    for combination, score in zip(evaluation.combinations, evaluation.scores, strict=True):
        values.setdefault(combination.chosen[stage], []).append(score)
    return _ranked(values, "mean f1_colour")


def _ranked(values: dict[StageVersion, list[float]], figure: str) -> BestPart:
    sign = -1.0 if any(word in figure for word in LOWER_IS_BETTER) else 1.0
    means = {version: float(np.mean(of_version)) for version, of_version in values.items()}
    order = sorted(means, key=lambda version: sign * np.nan_to_num(means[version], nan=-np.inf))
    runner_up = means[order[-2]] if len(order) > 1 else float("nan")
    return BestPart(order[-1], figure, means[order[-1]], runner_up)


def _compared(evaluation: CrossEvaluation, parts: Sequence[BestPart], best: int) -> Comparison:
    """The system of some parts; of the stages without a figure, the versions of the best one."""
    chosen = dict(evaluation.combinations[best].chosen)
    chosen.update({part.version.stage: part.version for part in parts})
    place = next(
        place
        for place, combination in enumerate(evaluation.combinations)
        if combination.chosen == chosen
    )
    return compare_systems(evaluation, place, best)


def _about_parts(
    evaluation: CrossEvaluation, parts: Sequence[BestPart], found: Comparison, best: int, how: str
) -> str:
    listed = ", ".join(
        f"{part.version} ({part.figure} {part.value:.3f}, next {part.runner_up:.3f})"
        for part in parts
    )
    if found.difference == 0.0:
        which = "the best system" if found.place == best else "a system that is as good"
        return f"The parts that are best {how}, {listed}, make {which}."
    low, high = found.interval.low, found.interval.high
    words = (
        "do not make the best system"
        if found.is_sure
        else "do not make the best system here, but these frames do not settle it"
    )
    return (
        f"The parts that are best {how}, {listed}, {words}: f1_colour "
        f"{evaluation.scores[found.place]:.3f}, {found.difference:+.3f} "
        f"({low:+.3f} to {high:+.3f}, for all comparisons with the best system at once)."
    )


def _system(evaluation: CrossEvaluation, place: int) -> str:
    milliseconds = evaluation.latencies[place] * 1e3
    name = evaluation.combinations[place].name
    return f"{name}: f1_colour {evaluation.scores[place]:.3f}, {milliseconds:.1f} ms"
