"""The run of one network by itself: its steps and their progress, checkpoints, and resuming."""

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel

from conegrad_training.engine.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from conegrad_training.engine.output_folder import claimed
from conegrad_training.engine.progress_display import shown, written_losses

logger = logging.getLogger(__name__)

SHIPPED = "shipped"  # in settings: the weights that ship
N = TypeVar("N", bound=nn.Module)
Steps = Callable[[int], Iterator[dict[str, float]]]


def run_network(
    state: TrainingState,
    steps_from: Steps,
    output: Path,
    settings: dict[str, Any],
    *,
    steps: int,
    checkpoint_every: int,
    title: str,
) -> None:
    """Make all steps, going on from the checkpoint of the output folder if there is one.

    Writes ``checkpoint.pt`` and ``losses.csv``.

    Args:
        state: learns in place.
        steps_from: makes the steps from a number on, yielding the losses of each.
        output: folder of the run.
        settings: that decide the weights; those of a checkpoint must be the same.
        steps: number of the last step.
        checkpoint_every: steps between two checkpoints.
        title: of the progress that is shown.

    Raises:
        ReplayError: if another process trains there.
        ValueError: if the checkpoint is damaged, or was made with other settings.
    """
    path, step = output / "checkpoint.pt", 0
    with claimed(output):
        if path.exists():
            step, _ = load_checkpoint(path, state, settings)
            logger.info("resuming from %s at step %d", path, step)
        for losses in _shown(steps_from(step), step, steps, title):
            step += 1
            if step % checkpoint_every == 0 or step == steps:
                save_checkpoint(path, state, step, settings)
                _log_losses(output / "losses.csv", step, losses)


def _shown(
    losses: Iterator[dict[str, float]], done: int, total: int, title: str
) -> Iterator[dict[str, float]]:
    return shown(losses, total, title, done=done, unit="step", note=written_losses)


def update_weights(state: TrainingState, max_grad_norm: float) -> None:
    """Clip the gradients, step, and let schedule and moving average follow.

    Raises:
        RuntimeError: if a gradient is not finite; the weights stay as they were.
    """
    clip_grad_norm_(state.model.parameters(), max_grad_norm, error_if_nonfinite=True)
    state.optimizer.step()
    if state.scheduler is not None:
        state.scheduler.step()
    if isinstance(state.averaged, AveragedModel):
        state.averaged.update_parameters(state.model)


def averaged_network(state: TrainingState, network_class: type[N]) -> N:
    """The moving average of the weights, in evaluation mode."""
    network = getattr(state.averaged, "module", None)
    if not isinstance(network, network_class):
        found, expected = type(network).__name__, network_class.__name__
        raise TypeError(f"averaged holds a {found}, expected a {expected}")
    return network.eval()


def _log_losses(path: Path, step: int, losses: Mapping[str, float]) -> None:
    if not path.exists():
        path.write_text(",".join(["step", *losses]) + "\n")
    with path.open("a") as file:
        file.write(",".join([str(step), *(f"{value:.4f}" for value in losses.values())]) + "\n")
