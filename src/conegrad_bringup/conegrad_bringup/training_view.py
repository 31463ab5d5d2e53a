"""A training as a live view shows it: losses, steps, what is left."""

import contextlib
import math
import time
from collections.abc import Iterator

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_nodes.view_server.view import served
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.progress import Progress

MINUTE = 60  # [s]


@contextlib.contextmanager
def training_view(config: ViewConfig, title: str) -> Iterator[ViewFeed | None]:
    """Serve a training while the block runs; None where nobody wants to look.

    Raises:
        OSError: if a port cannot be had.
    """
    if not config.view:
        yield None
        return
    feed = ViewFeed(title)
    feed.say("reading samples, measuring the system as it is")
    with served(feed, config):
        yield feed


def viewed_steps(
    feed: ViewFeed, pattern: str, steps: Iterator[StepReport], done: int, total: int
) -> Iterator[StepReport]:
    """The same steps; losses and figures go to a feed.

    Args:
        feed: of the view.
        pattern: of the training.
        steps: to take.
        done: steps that were taken before.
        total: steps of the whole run.
    """
    progress = Progress(done, total, time.monotonic())
    for report in steps:
        yield report
        progress.step(time.monotonic())
        feed.plot(report.step, report.losses)
        feed.say(f"step {progress.done} of {total}")
        norms = ", ".join(f"{name} {value:.3g}" for name, value in report.norms.items())
        feed.show(
            {
                "step": f"{progress.done} of {total}",
                "left": _duration(progress.eta),
                "speed": f"{progress.steps_per_second:.2f} steps/s",
                "pattern": pattern,
                "learning": ", ".join(sorted(report.stages)),
                "length of the gradients": norms,
            }
        )
    feed.say("trained; measuring the system")


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "not known yet"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes}:{rest:02d} min"
