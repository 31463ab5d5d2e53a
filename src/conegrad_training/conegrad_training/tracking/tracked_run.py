"""A training run that is tracked in MLflow."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.training_run import (
    Data,
    SampleProgress,
    TrainingConfig,
    plain_settings,
    run_training,
)
from conegrad_training.tracking.tracking import RunTracker, TrackingConfig

Steps = Iterator[StepReport]
Progress = Callable[[Steps, int, int], Steps]


def run_tracked(
    config: TrainingConfig,
    data: Data,
    output: Path,
    tracking: TrackingConfig,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    measuring: SampleProgress | None = None,
) -> tuple[dict[str, dict[str, float]], str]:
    """As :func:`run_training`, tracked; a store that fails costs the tracking, not the run.

    Returns:
        The headline metrics, and how to look at the tracked run; empty without tracking.
    """
    train = functools.partial(
        run_training, config, data, output, resume=resume, measuring=measuring
    )
    if not tracking.tracking:
        return train(progress=progress), ""
    # Tracking begins when the run has passed its checks and the first step is due.
    with contextlib.ExitStack() as stack:
        trackers: list[RunTracker] = []

        def begin(steps: Steps, done: int, total: int) -> Steps:
            tracker = stack.enter_context(tracked(config, data.names, output, tracking))
            trackers.extend([tracker] if tracker else [])
            return watched(tracker, progress)(steps, done, total)

        headlines = train(progress=begin)
        if not trackers:
            return headlines, ""
        trackers[0].finish(headlines)
    return headlines, "" if trackers[0].is_lost else trackers[0].how_to_look()


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
