"""A training run that is tracked in MLflow."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from conegrad_core.system_record.location import OF_RUN
from conegrad_core.system_record.store_index import Version
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.training_run import (
    Data,
    SampleProgress,
    TrainingConfig,
    plain_settings,
    run_training,
)
from conegrad_training.tracking.catalogue import SystemCatalogue
from conegrad_training.tracking.tracking import RunTracker, TrackingConfig

Steps = Iterator[StepReport]
Progress = Callable[[Steps, int, int], Steps]


class TrackedResult(NamedTuple):
    """What a tracked run gives.

    Attributes:
        headlines: metrics before and after.
        look: how to look at the run; empty without tracking.
        version: of the system that was recorded; None without tracking.
    """

    headlines: dict[str, dict[str, float]]
    look: str = ""
    version: Version | None = None


def run_tracked(
    config: TrainingConfig,
    data: Data,
    output: Path,
    tracking: TrackingConfig,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    measuring: SampleProgress | None = None,
) -> TrackedResult:
    """As :func:`run_training`, tracked; a store that fails costs the tracking, not the run.

    The system that was recorded is named in the local store and in the registry.
    """
    train = functools.partial(
        run_training, config, data, output, resume=resume, measuring=measuring
    )
    if not tracking.tracking:
        return TrackedResult(train(progress=progress))
    # Tracking begins when the run has passed its checks and the first step is due.
    with contextlib.ExitStack() as stack:
        trackers: list[RunTracker] = []

        def begin(steps: Steps, done: int, total: int) -> Steps:
            tracker = stack.enter_context(tracked(config, data.names, output, tracking))
            trackers.extend([tracker] if tracker else [])
            return watched(tracker, progress)(steps, done, total)

        headlines = train(progress=begin)
        if trackers:
            trackers[0].finish(headlines)
    tracker = trackers[0] if trackers else None
    look = tracker.how_to_look() if tracker and not tracker.is_lost else ""
    return TrackedResult(headlines, look, log_system(output, tracking, tracker))


def log_system(
    output: Path, tracking: TrackingConfig, tracker: RunTracker | None = None
) -> Version | None:
    """Name the system of an output folder in the local store and in the registry.

    Args:
        output: folder of a training.
        tracking: where the registry is.
        tracker: of the run; its run of MLflow holds metrics and data.

    Returns:
        The version; None if nothing was recorded.
    """
    if not (output / OF_RUN).exists():
        return None
    run = tracker.system_run if tracker and not tracker.is_lost else ""
    return SystemCatalogue(tracking).log(output / OF_RUN, run)


@contextlib.contextmanager
def tracked(
    config: TrainingConfig,
    names: Sequence[str],
    output: Path,
    tracking: TrackingConfig | None,
) -> Iterator[RunTracker | None]:
    """Track what a run does inside; a run that ends with an exception is marked as failed.

    Args:
        config: settings of the run.
        names: of its recordings.
        output: folder of the run.
        tracking: where to; None, and one that is off, give no tracker.
    """
    if tracking is None or not tracking.tracking:
        yield None
        return
    settings = plain_settings(config)
    settings["data"] = {"names": ", ".join(names)}
    learned = [name for name, stage in config.system.classes.items() if stage.learns]
    tracker = RunTracker(tracking, output, settings, learned)
    try:
        yield tracker
    except BaseException:  # whatever ended it, the store learns of it, and it is raised again
        tracker.fail()
        raise


def watched(tracker: RunTracker | None, progress: Progress | None) -> Progress:
    """Progress of steps that are tracked as well."""

    def steps_of(steps: Steps, done: int, total: int) -> Steps:
        reports = tracker.watch(steps) if tracker is not None else steps
        return progress(reports, done, total) if progress is not None else reports

    return steps_of
