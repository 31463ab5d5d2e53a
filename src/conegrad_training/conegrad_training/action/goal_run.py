"""One run of the training node, without ROS: from bags to an outcome in words."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from conegrad_core.engines.errors import EngineError
from conegrad_data.errors import TrainingError
from conegrad_training.action.goal_settings import GoalSettings, goal_data
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.progress import Progress
from conegrad_training.engine.training_run import CHECKPOINT
from conegrad_training.tracking.tracked_run import run_tracked

COMPLETED, CANCELLED, FAILED = "completed", "cancelled", "failed"
# What a user can cause: bags, settings, files. Anything else is a fault of the program.
USER_ERRORS = (TrainingError, EngineError, ValueError, OSError)


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        state: completed, cancelled or failed.
        checkpoint: the last one; None if there is none.
        message: for people.
    """

    state: str
    checkpoint: Path | None
    message: str


class RunCancelled(Exception):  # noqa: N818, it is asked for and no error
    """Somebody asked the run to stop."""


def run_goal(
    bags: Sequence[Path],
    settings: GoalSettings,
    output: Path,
    *,
    on_step: Callable[[StepReport, Progress], None],
    is_cancelled: Callable[[], bool],
    clock: Callable[[], float],
) -> Outcome:
    """Train as ``conegrad train`` does, until the end or until somebody asks to stop.

    Args:
        bags: to learn from.
        settings: of the run.
        output: folder of the run.
        on_step: called after each step.
        is_cancelled: asked after each step; the checkpoint of that step is written.
        clock: seconds that never go back, for the speed.
    """

    def watched(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        progress = Progress(done, total, clock())
        for report in steps:
            progress.step(clock())
            on_step(report, progress)
            if is_cancelled() and progress.done < total:
                raise RunCancelled
            yield report

    checkpoint = output / CHECKPOINT
    try:
        result = run_tracked(
            settings.training,
            goal_data(bags, settings),
            output,
            settings.tracking,
            resume=settings.data.resume,
            progress=watched,
        )
    except RunCancelled:
        return Outcome(CANCELLED, checkpoint, f"stopped as asked; to go on, resume {output}")
    except USER_ERRORS as error:
        return Outcome(FAILED, checkpoint if checkpoint.exists() else None, str(error))
    named = [f"system {result.version.reference}"] if result.version else []
    look = [" ".join(result.look.split())] if result.look else []
    parts = [f"weights are in {output}", _described(result.headlines, output), *named, *look]
    return Outcome(COMPLETED, checkpoint, "; ".join(parts))


def _described(headlines: dict[str, dict[str, float]], output: Path) -> str:
    if not headlines:
        return "no metrics were asked for"
    verdict: str = json.loads((output / "run.json").read_text())["verdict"]
    return verdict or f"f1_colour is {headlines['after']['f1_colour']:.3f}"
