"""Run all patterns from one baseline with the same steps; continues an interrupted comparison."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.utils.data import Subset

from conegrad_core.jobs.job import Job
from conegrad_core.jobs.runner import JobRunner
from conegrad_core.vehicle import Vehicle
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import DOMAINS
from conegrad_training.comparison.baselines import Baseline, fingerprint, prepare_baseline
from conegrad_training.comparison.drive_samples import DriveSamples
from conegrad_training.comparison.label_budget import (
    end_label_values,
    evenly_spaced,
    samples_within_budget,
    supervised_label_values,
)
from conegrad_training.comparison.plan import PlannedRun, split_runs
from conegrad_training.comparison.results import RESULT, RunResult, write_json, write_result
from conegrad_training.comparison.scenarios import CONDITIONS
from conegrad_training.comparison.settings import ComparisonConfig, full_names
from conegrad_training.data.sample_stream import position
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.output_folder import lock_folder
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import CHECKPOINT, Data, Run
from conegrad_training.patterns.update import END
from conegrad_training.systems.system import load_system
from conegrad_training.tracking.tracked_run import tracked, watched
from conegrad_training.tracking.tracking import TrackingConfig

T = TypeVar("T")

TRAINING_SEED, TEST_SEED = 2_000_000, 3_000_000  # of tracks; those of the shipped weights differ
DRIVES_PER_SEED = 1_000
SETTINGS = "settings.json"


class ComparisonProgress:
    """Progress of a comparison; displays nothing, a command line overrides it with bars."""

    def items(self, items: Iterable[T], total: int, title: str) -> Iterable[T]:
        """The same items, counted."""
        return items

    def steps(
        self, steps: Iterator[StepReport], done: int, total: int, title: str
    ) -> Iterator[StepReport]:
        """The same steps, counted from the number that is done."""
        return steps


def compare(
    config: ComparisonConfig,
    runs: Sequence[PlannedRun],
    vehicle: Vehicle,
    output: Path,
    progress: ComparisonProgress | None = None,
    *,
    tracking: TrackingConfig | None = None,
    jobs: JobRunner | None = None,
) -> None:
    """Make the runs that are not done yet, each in a folder below ``runs``.

    Two processes may share an output folder if they make different runs. Runs in several processes
    give the results of runs one after the other, with the same number of threads.

    Args:
        config: settings that all runs share.
        runs: sorted by condition and seed, so that samples are rendered once.
        vehicle: of the simulated drives.
        output: folder of the comparison.
        progress: displays the progress.
        tracking: where each run is tracked; None: nowhere.
        jobs: runs several at once; None: one after the other, in this process.

    Raises:
        JobError: naming the runs, if one of several at once failed.
        ValueError: if the output holds runs of other settings.
        TrainingError: if a step was refused.
    """
    progress = progress or ComparisonProgress()
    check_settings(config, vehicle, output)
    left = [run for run in runs if not (folder_of(run, output) / RESULT).exists()]
    if jobs is None or not jobs.is_parallel:
        make_runs(config, left, vehicle, output, progress, tracking)
        return
    shared = {"config": config, "vehicle": vehicle, "output": output}
    starts = {run.condition: run for run in left}  # ahead of the runs, which all need them
    jobs.run(
        [
            Job(f"baseline of {name}", prepare_start, {**shared, "planned": run})
            for name, run in starts.items()
        ],
        lambda items, total: progress.items(items, total, "baselines"),
    )
    jobs.run(
        [
            Job(
                f"{part[0].condition}, {', '.join(run.name for run in part)}",
                make_runs,
                {**shared, "runs": part, "tracking": tracking},
            )
            for part in split_runs(left, jobs.workers)
        ],
        lambda items, total: progress.items(items, total, "groups of runs"),
    )


def make_runs(
    config: ComparisonConfig,
    runs: Sequence[PlannedRun],
    vehicle: Vehicle,
    output: Path,
    progress: ComparisonProgress | None = None,
    tracking: TrackingConfig | None = None,
) -> None:
    """Make runs one after the other; arguments as of :func:`compare`."""
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    progress = progress or ComparisonProgress()
    runner = ComparisonRunner(config, vehicle, output, progress, tracking)
    for planned in progress.items(runs, len(runs), "runs"):
        runner.run(planned)


def prepare_start(
    config: ComparisonConfig, vehicle: Vehicle, output: Path, planned: PlannedRun
) -> None:
    """Write the baseline of the condition of a run, if it is not there."""
    if config.run.threads:
        torch.set_num_threads(config.run.threads)
    ComparisonRunner(config, vehicle, output, ComparisonProgress()).baseline(planned.condition)


def check_settings(config: ComparisonConfig, vehicle: Vehicle, output: Path) -> None:
    """Write the settings of an output folder, or check them against those written before.

    Raises:
        ValueError: if they, or the weights to start from, differ: the runs could not be compared.
    """
    settings = plain({**config.by_name(), "vehicle": vehicle.name})
    start = fingerprint(config.system)
    path = output / SETTINGS
    if not path.exists():
        write_json(path, {**settings, "fingerprint": start})
        return
    # A setting that was added after the folder was written had its default.
    written = full_names(json.loads(path.read_text(encoding="utf-8")))
    found = plain(ComparisonConfig().by_name()) | written
    for name, value in settings.items():
        if found.get(name) != value:
            raise ValueError(
                f"{path} has {name} = {found.get(name)!r} (now {value!r}); expected the same "
                "settings, or another output folder"
            )
    if found.get("fingerprint") != start:
        raise ValueError(
            f"the runs of {output} did not start from the weights and scalars that are given or "
            "shipped now; expected the same, or another output folder"
        )


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they are read from a file again: lists instead of tuples."""
    values: dict[str, Any] = json.loads(json.dumps(settings))
    return values


def folder_of(planned: PlannedRun, output: Path) -> Path:
    """Folder of a run."""
    return output / "runs" / planned.condition / planned.name


class ComparisonRunner:
    """Makes runs; shares samples and baselines between them."""

    def __init__(
        self,
        config: ComparisonConfig,
        vehicle: Vehicle,
        output: Path,
        progress: ComparisonProgress,
        tracking: TrackingConfig | None = None,
    ) -> None:
        self._tracking = tracking
        self._config, self._vehicle = config, vehicle
        self._output, self._progress = output, progress
        self._samples: dict[tuple[str, int], DriveSamples] = {}
        self._test: dict[str, DriveSamples] = {}
        self._system = load_system(config.system)  # what its stages and truth are; never trained

    def run(self, planned: PlannedRun) -> None:
        """Train, evaluate, write the result."""
        training, test = self._training(planned), self._test_samples(planned.condition)
        positions = self._training_positions(planned, training)
        baseline = self.baseline(planned.condition)
        folder = folder_of(planned, self._output)
        title = f"{planned.condition} {planned.name}"
        data = Data(Subset(training, positions), test, (title,))
        with lock_folder(folder):
            config = self._config.training(planned, baseline.system)
            run = Run(config, data, folder)
            run.start(resume=True)
            shown = functools.partial(self._progress.steps, title=title)
            with tracked(config, data.names, folder, self._tracking) as tracker:
                run.take_steps(watched(tracker, shown))
                after = run.measure("after")
                headlines = {"before": baseline.headline, "after": after}
                run.publish(headlines)
                if tracker is not None:
                    tracker.finish(headlines)
            write_result(self._result(planned, positions, baseline, after, run.cost), folder)
            (folder / CHECKPOINT).unlink()  # large, and not needed after the result

    def baseline(self, condition: str) -> Baseline:
        """What the runs of a condition start from."""
        return prepare_baseline(
            self._config.system,
            CONDITIONS[condition].degradation,
            self._test_samples(condition),
            self._output / "baselines" / condition,
        )

    def _training(self, planned: PlannedRun) -> DriveSamples:
        key = (CONDITIONS[planned.condition].domain, planned.seed)
        if key not in self._samples:
            first = TRAINING_SEED + DRIVES_PER_SEED * planned.seed
            self._samples = {key: self._render(key[0], first, self._config.design.frames)}
        return self._samples[key]

    def _test_samples(self, condition: str) -> DriveSamples:
        domain = CONDITIONS[condition].domain
        if domain not in self._test:
            self._test = {domain: self._render(domain, TEST_SEED, self._config.design.test_frames)}
        return self._test[domain]

    def _render(self, domain: str, first_seed: int, count: int) -> DriveSamples:
        design = self._config.design
        size = (design.image_width, design.image_height)
        frames = DriveFrames(
            self._vehicle, DOMAINS[domain], first_seed, design.frames_per_drive, size
        )
        return DriveSamples(frames, count, domain, self._progress.items)

    def _training_positions(self, planned: PlannedRun, training: DriveSamples) -> list[int]:
        """Positions of the training samples of a run."""
        count = len(training)
        if not planned.label_budget:
            return evenly_spaced(planned.frames, count)
        seen = min(count, self._config.run.steps * self._config.run.batch)
        used = sorted({position(place, count, planned.seed) for place in range(seen)})
        loss = self._config.loss
        truth_of = self._system.truth
        budget = training.map_values(used, truth_of, loss)
        if planned.label_budget == "frame_values":
            budget = sum(end_label_values(truth_of(training[place]), loss) for place in used)
        label_values = [supervised_label_values(sample, self._system) for sample in training.all()]
        return samples_within_budget(budget, label_values)

    def _result(
        self,
        planned: PlannedRun,
        positions: Sequence[int],
        baseline: Baseline,
        after: dict[str, float],
        training_cost: TrainingCost,
    ) -> RunResult:
        training, cost = self._training(planned), training_cost.to_dict()
        measured = [p for p in positions if training_cost.knows(END, str(training[p].key))]
        loss, truth_of = self._config.loss, self._system.truth
        in_frames = sum(end_label_values(truth_of(training[p]), loss) for p in measured)
        return RunResult(
            condition=planned.condition,
            pattern=planned.pattern,
            seed=planned.seed,
            frames=len(positions),
            label_budget=planned.label_budget,
            baseline=baseline.headline,
            after=after,
            before_degradation=baseline.before_degradation,
            steps=cost["steps"],
            seconds=cost["seconds"],
            forward=cost["forward"],
            backward=cost["backward"],
            frame_values=cost["label_values"],
            map_values=cost["label_values"]
            - in_frames
            + training.map_values(measured, truth_of, loss),
        )
