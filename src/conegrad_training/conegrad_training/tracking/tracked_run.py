"""A training run that is tracked in MLflow."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.training_run import Data, SampleProgress, TrainingConfig, run_training
from conegrad_training.tracking.tracking import RunTracker, TrackingConfig

Progress = Callable[[Iterator[StepReport], int, int], Iterator[StepReport]]


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
    watcher = _Watcher(config, data, output, tracking, progress)
    try:
        headlines = train(progress=watcher)
    except BaseException:  # whatever ended it, the store is told, and it goes on up
        if watcher.tracker is not None:
            watcher.tracker.fail()
        raise
    tracker = watcher.tracker
    if tracker is None:
        return headlines, ""
    tracker.finish(headlines)
    return headlines, "" if tracker.is_lost else tracker.how_to_look()


class _Watcher:
    """Begins tracking when the run has passed its checks and the first step is due."""

    def __init__(
        self,
        config: TrainingConfig,
        data: Data,
        output: Path,
        tracking: TrackingConfig,
        progress: Progress | None,
    ) -> None:
        self._config, self._data, self._output = config, data, output
        self._tracking, self._progress = tracking, progress
        self.tracker: RunTracker | None = None

    def __call__(self, steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        settings: dict[str, dict[str, Any]] = {
            part.name: dataclasses.asdict(getattr(self._config, part.name))
            for part in dataclasses.fields(self._config)
        }
        settings["data"] = {"names": ", ".join(self._data.names)}
        self.tracker = RunTracker(self._tracking, self._output, settings)
        watched = self.tracker.watch(steps)
        return self._progress(watched, done, total) if self._progress else watched
