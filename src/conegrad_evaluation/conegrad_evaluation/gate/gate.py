"""The gate as a paragraph of steps: replay, count, compare, decide, and say what is untested."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from conegrad_data.recording.paired_drive import PairedDrive
from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.coverage.conditions import FrameConditions
from conegrad_evaluation.coverage.projection_coverage import Coverage, Observed, coverage
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.decision import Decision, decide
from conegrad_evaluation.gate.findings import Finding, find_all
from conegrad_evaluation.gate.golden_replay import Disturb, GoldenReplay, Replay, joined
from conegrad_evaluation.gate.latency_ratio import LatencyRatio, latency_ratio
from conegrad_evaluation.gate.parts import Pair, parts_of
from conegrad_evaluation.metrics.bootstrap import block_length
from conegrad_evaluation.metrics.evaluator import Evaluation, evaluate
from conegrad_evaluation.metrics.failure_modes import missed_truth
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult
from conegrad_evaluation.metrics.range_bins import BIN_EDGES, BIN_NAMES
from conegrad_evaluation.paired.paired_difference import Drive
from conegrad_evaluation.paired.paired_frames import count_frames
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

T = TypeVar("T")
SILENT_SENSORS = {"no_image": "no image", "no_scan": "no scan"}  # condition by disturbance


class Recording(NamedTuple):
    """Frames of one recording.

    Attributes:
        name: of the recording.
        samples: its frames in their order, with truth.
        drive: that they come from; None leaves out speed and curvature.
    """

    name: str
    samples: Iterable[Sample]
    drive: PairedDrive | None = None


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    Attributes:
        decision: the answer.
        findings: of every part, the one of all frames first.
        latency: times of a frame.
        evaluations: all metrics of the old and the new system.
        coverage: which conditions were tested.
        frames: number of frames by recording.
        blocks: frames that were resampled together, by recording.
        config: settings of the metrics.
        budgets: of the team.
    """

    decision: Decision
    findings: tuple[Finding, ...]
    latency: LatencyRatio
    evaluations: tuple[Evaluation, Evaluation]
    coverage: Coverage
    frames: Mapping[str, int]
    blocks: Mapping[str, int]
    config: EvaluationConfig
    budgets: Budgets


def run_gate(
    old: System,
    new: System,
    recordings: Iterable[Recording],
    *,
    budgets: Budgets | None = None,
    config: EvaluationConfig | None = None,
    disturbances: Mapping[str, Disturb] | None = None,
    disturb_every: int = 4,
    space: ConditionSpace | None = None,
) -> GateResult:
    """Compare two systems on the same frames and decide whether the new one is promoted.

    Args:
        old: system in use.
        new: system that may replace it.
        recordings: golden drives.
        budgets: of the team.
        config: settings of the metrics.
        disturbances: of samples, by name: both systems are compared under each of them.
        disturb_every: of so many frames one is also disturbed.
        space: conditions that shall be tested.

    Raises:
        ValueError: if the recordings hold no frame, or two of them have one name.
    """
    budgets, config = budgets or Budgets(), config or EvaluationConfig()
    replaying = GoldenReplay(old, new, config, disturbances, disturb_every)
    replays = [replaying.run(r.samples, r.name, r.drive) for r in recordings]
    return judge(replays, budgets, config, space or ConditionSpace())


def judge(
    replays: Sequence[Replay], budgets: Budgets, config: EvaluationConfig, space: ConditionSpace
) -> GateResult:
    """Compare what two systems made of the same frames.

    Raises:
        ValueError: if there is no frame, or two recordings have one name.
    """
    names = [replay.bag for replay in replays]
    if not any(replay.stamps_ns for replay in replays):
        raise ValueError(f"recordings {', '.join(names) or '(none)'} hold no frame with truth")
    if len(set(names)) != len(names):
        raise ValueError(f"recordings are named {', '.join(names)}, expected different names")
    replays = [_labelled(replay, space) for replay in replays if replay.stamps_ns]
    drives = [_drive(replay, budgets) for replay in replays]
    results = _both(lambda k: joined([r.results[k] for r in replays]))
    counts = _both(lambda k: count_frames(results[k], config))
    conditions = [found for replay in replays for found in replay.conditions]
    parts = parts_of(
        counts,
        [replay.bag for replay in replays for _ in replay.stamps_ns],
        [found.of_frame.get("light", "") for found in conditions],
        _disturbed(replays, config),
    )
    seconds = _both(lambda k: np.array([s for r in replays for s in r.seconds[k]]))
    times = latency_ratio(seconds[0], seconds[1], drives)
    findings = tuple(find_all(parts, drives, seconds, times, budgets))
    metrics = replace(config, bootstrap_block=max(drive.block for drive in drives))
    return GateResult(
        decision=decide(findings),
        findings=findings,
        latency=times,
        evaluations=_both(lambda k: evaluate(results[k], metrics, latencies=seconds[k].tolist())),
        coverage=coverage(
            [
                *_observed(conditions, results[1], drives, config),
                *_observed_silent(replays, drives, config),
            ],
            within(space, config.max_range),
        ),
        frames={r.bag: drive.frames for r, drive in zip(replays, drives, strict=True)},
        blocks={r.bag: drive.block for r, drive in zip(replays, drives, strict=True)},
        config=config,
        budgets=budgets,
    )


def within(space: ConditionSpace, max_range: float) -> ConditionSpace:
    """The space without the range bins beyond the largest range of the evaluation [m]."""
    beyond = {
        ("range", name): 0.0
        for edge, name in zip(BIN_EDGES, BIN_NAMES, strict=True)
        if edge >= max_range
    }
    return replace(space, weights={**space.weights, **beyond})


def _both(make: Callable[[int], T]) -> tuple[T, T]:
    """What is made for the old system (0) and for the new one (1)."""
    return make(0), make(1)


def _drive(replay: Replay, budgets: Budgets) -> Drive:
    frames = len(replay.stamps_ns)
    return Drive(frames, min(block_length(budgets.block_seconds, replay.period), frames))


def _labelled(replay: Replay, space: ConditionSpace) -> Replay:
    """The replay with the conditions that a person gave its recording."""
    labels = space.labels.get(replay.bag, {})
    found = [c._replace(of_frame={**c.of_frame, **labels}) for c in replay.conditions]
    return replace(replay, conditions=found)


def _disturbed(
    replays: Sequence[Replay], config: EvaluationConfig
) -> dict[str, tuple[Pair, list[int]]]:
    names = dict.fromkeys(name for replay in replays for name in replay.disturbed)
    starts = np.cumsum([0, *(len(replay.stamps_ns) for replay in replays)])
    rows = [
        int(start) + row
        for start, replay in zip(starts, replays, strict=False)
        for row in replay.disturbed_rows
    ]
    return {name: (_disturbed_counts(replays, name, config), rows) for name in names}


def _disturbed_counts(replays: Sequence[Replay], name: str, config: EvaluationConfig) -> Pair:
    return _both(lambda k: count_frames(joined([r.disturbed[name][k] for r in replays]), config))


def _observed(
    conditions: Sequence[FrameConditions],
    results: Sequence[FrameResult],
    drives: Sequence[Drive],
    config: EvaluationConfig,
) -> list[Observed]:
    return [
        Observed(block, found, _wrong(result, config))
        for block, found, result in zip(_blocks(drives), conditions, results, strict=True)
    ]


def _observed_silent(
    replays: Sequence[Replay], drives: Sequence[Drive], config: EvaluationConfig
) -> list[Observed]:
    """Frames that were also replayed without a sensor."""
    found, blocks, start = [], _blocks(drives), 0
    for replay, drive in zip(replays, drives, strict=True):
        for name in replay.disturbed.keys() & SILENT_SENSORS.keys():
            results = replay.disturbed[name][1]
            for row, result in zip(replay.disturbed_rows, results, strict=True):
                seen = replay.conditions[row]
                of_frame = {**seen.of_frame, "sensors": SILENT_SENSORS[name]}
                if SILENT_SENSORS[name] == "no image":
                    of_frame.pop("light", None)
                conditions = seen._replace(of_frame=of_frame)
                wrong = _wrong(result, config)
                found.append(Observed(blocks[start + row], conditions, wrong, "sensors"))
        start += drive.frames
    return found


def _blocks(drives: Sequence[Drive]) -> list[int]:
    """Number of the block of each frame."""
    numbers: list[int] = []
    for drive in drives:
        first = numbers[-1] + 1 if numbers else 0
        numbers += [first + row // drive.block for row in range(drive.frames)]
    return numbers


def _wrong(result: FrameResult, config: EvaluationConfig) -> np.ndarray:
    wrong = np.zeros(len(result.truth_positions), dtype=np.bool_)
    wrong[[row for row, _ in missed_truth(result, config)]] = True
    return wrong[result.counted]
