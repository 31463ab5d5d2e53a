"""Golden replay: two systems on the same frames, each frame decoded once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.selection import select_cones
from conegrad_core.pipeline.seen_truth import seen_truth
from conegrad_data.recording.paired_drive import PairedDrive
from conegrad_evaluation.coverage.conditions import FrameConditions, frame_conditions
from conegrad_evaluation.metrics.bootstrap import median_period
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult, match_frame
from conegrad_evaluation.port_metrics import MIN_EXISTENCE
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

WARM_UP = 3  # frames that engines and caches get before the first one that counts

Disturb = Callable[[Sample], Sample]


@dataclass
class Replay:
    """What both systems made of the frames of one recording.

    Attributes:
        bag: name of the recording.
        stamps_ns: stamp of each frame [ns].
        results: matched cones of each frame, of the old and the new system.
        seconds: time of each frame, likewise [s].
        conditions: of each frame.
        disturbed: by name of a disturbance, results of some frames, likewise.
        disturbed_rows: positions of these frames.
    """

    bag: str
    stamps_ns: list[int] = field(default_factory=list)
    results: tuple[list[FrameResult], list[FrameResult]] = field(default_factory=lambda: ([], []))
    seconds: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    conditions: list[FrameConditions] = field(default_factory=list)
    disturbed: dict[str, tuple[list[FrameResult], list[FrameResult]]] = field(default_factory=dict)
    disturbed_rows: list[int] = field(default_factory=list)

    @property
    def period(self) -> float:
        """Median time between two frames [s]; NaN with less than two."""
        return median_period(self.stamps_ns)


class GoldenReplay:
    """Replays recordings through two systems in turns.

    Both are compared with the same truth: the cones that a sensor of either could see.

    Args:
        old: system in use.
        new: system that may replace it.
        config: settings of the metrics.
        disturbances: of samples, by name.
        every: of so many frames one is also disturbed.
    """

    def __init__(
        self,
        old: System,
        new: System,
        config: EvaluationConfig,
        disturbances: Mapping[str, Disturb] | None = None,
        every: int = 4,
    ) -> None:
        self._systems = (old.eval(), new.eval())
        self._config = config
        self._disturbances = dict(disturbances or {})
        self._every = every
        self._kinds = {
            kind
            for system in self._systems
            for kind in system.pipeline.specification.inputs.values()
        }
        self._is_warm = False

    @torch.no_grad()
    def run(self, samples: Iterable[Sample], bag: str, drive: PairedDrive | None = None) -> Replay:
        """Replay one recording.

        Args:
            samples: frames in their order.
            bag: name of the recording.
            drive: of the samples, for speed and curvature; None leaves these out.
        """
        replay = Replay(bag)
        for row, sample in enumerate(samples):
            if not self._is_warm:
                self._warm_up(sample)
            self._take(replay, row, sample, drive)
            if self._disturbances and row % self._every == 0:
                self._take_disturbed(replay, row, sample)
        return replay

    def _warm_up(self, sample: Sample) -> None:
        for _ in range(WARM_UP):
            for system in self._systems:
                system([sample])
        self._is_warm = True

    def _take(self, replay: Replay, row: int, sample: Sample, drive: PairedDrive | None) -> None:
        # In turns: what the first one leaves in caches would always help the same system.
        order = (0, 1) if row % 2 == 0 else (1, 0)
        truth = self._truth(sample)
        for index in order:
            start = time.perf_counter()
            cones = self._systems[index]([sample])[0]
            replay.seconds[index].append(time.perf_counter() - start)
            replay.results[index].append(self._matched(cones, truth))
        replay.stamps_ns.append(sample.key.stamp_ns)
        counted = replay.results[0][-1].counted
        replay.conditions.append(frame_conditions(sample, drive, counted))

    def _take_disturbed(self, replay: Replay, row: int, sample: Sample) -> None:
        replay.disturbed_rows.append(row)
        truth = self._truth(sample)
        for name, disturb in self._disturbances.items():
            disturbed = disturb(sample)
            found = replay.disturbed.setdefault(name, ([], []))
            for index, system in enumerate(self._systems):
                found[index].append(self._matched(system([disturbed])[0], truth))

    def _truth(self, sample: Sample) -> TrueCones:
        return seen_truth(sample.truth, self._kinds)

    def _matched(self, cones: Cones, truth: TrueCones) -> FrameResult:
        return match_frame(select_cones(cones, MIN_EXISTENCE), truth, self._config)


def joined(parts: Sequence[Sequence[FrameResult]]) -> list[FrameResult]:
    """Frames of several recordings in one list."""
    return [frame for part in parts for frame in part]
