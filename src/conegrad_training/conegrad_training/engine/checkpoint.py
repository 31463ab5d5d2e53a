"""Checkpoints of a training run: written whole or not at all, so that a killed run resumes."""

import io
import pickle
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from conegrad_core.whole_file import write_whole

RandomState = dict[str, Any]
CONTENT = {"step", "config", "random", "extra"}  # besides the parts
DAMAGE = (zipfile.BadZipFile, pickle.UnpicklingError, EOFError)
DAMAGED = "delete it to begin anew, or choose another output folder"


@dataclass(frozen=True)
class TrainingState:
    """The moving parts of a run.

    Attributes:
        model: the network that is trained.
        optimizer: its optimizer.
        scheduler: learning rate schedule, or None.
        averaged: moving average of the weights, or None.
    """

    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler | None = None
    averaged: nn.Module | None = None


def save_checkpoint(
    path: Path, state: TrainingState, step: int, config: dict[str, Any], **extra: Any
) -> None:
    """Write everything a run needs to go on, atomically.

    ``path`` always holds a whole checkpoint, whenever the process is killed or the disk is full.

    Args:
        path: the checkpoint; its folder is made.
        state: models, optimizer and schedule.
        step: number of optimizer steps done.
        config: settings of the run (plain values); compared on resume.
        extra: further plain values or tensors, returned by :func:`load_checkpoint`.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "step": step,
        "config": config,
        "random": random_state(),
        "extra": extra,
        **{name: part.state_dict() for name, part in _parts(state).items()},
    }
    archive = io.BytesIO()  # torch reports of a full disk only that it miscounted
    torch.save(content, archive)
    write_whole(path, archive.getvalue())


def load_checkpoint(
    path: Path,
    state: TrainingState,
    config: dict[str, Any],
    upgrade: Callable[[Path, dict[str, Any]], dict[str, Any]] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Restore a run in place, with the state of every random generator.

    Only tensors and plain values are unpickled; code in the file is never executed.

    Args:
        path: the checkpoint.
        state: is restored.
        config: settings of the run, compared with those of the checkpoint.
        upgrade: turns the content of a checkpoint of an earlier version into that of this one.

    Returns:
        The number of optimizer steps done, and the ``extra`` values of the checkpoint.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or the checkpoint was made with other settings or lacks
            a part.
    """
    content = _read(path)
    if upgrade is not None:
        content = upgrade(path, content)
    _check_config(path, content["config"], config)
    for name in _parts(state):
        if name not in content:
            raise ValueError(f"{path} holds no {name}, expected one of this run")
    try:
        added = set(state.model.state_dict()) - set(content["model"])
        if added:
            content["optimizer"] = _grown(content["optimizer"], state, added)
        for name, part in _parts(state).items():
            part.load_state_dict(content[name])
        restore_random_state(content["random"])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} does not fit this run ({reason})") from error
    return content["step"], content["extra"]


def _read(path: Path) -> dict[str, Any]:
    """Content of a checkpoint, every byte of it compared with its check sum."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"bad check sum of {damaged}")
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file raises what it looks like; a missing one, and a folder, say so themselves.
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        EOFError,
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ValueError(f"{path} is damaged ({reason}): {DAMAGED}") from error
    if not isinstance(content, dict) or not content.keys() >= CONTENT:
        raise ValueError(f"{path} is not a checkpoint of a training: {DAMAGED}")
    return content


def random_state() -> RandomState:
    """State of the generators of Python, numpy and torch, as plain values and tensors."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [
            name,
            torch.from_numpy(np.asarray(keys).astype(np.int64)),
            position,
            has_gauss,
            gauss,
        ],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: RandomState) -> None:
    """Set the generators of Python, numpy and torch to a state of :func:`random_state`."""
    version, numbers, gauss_next = state["python"]
    random.setstate((version, tuple(numbers), gauss_next))
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"])
    cuda: list[Tensor] = state["cuda"]
    if cuda and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(cuda)


def _parts(state: TrainingState) -> dict[str, Any]:
    parts = {
        "model": state.model,
        "optimizer": state.optimizer,
        "scheduler": state.scheduler,
        "averaged": state.averaged,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _grown(saved: dict[str, Any], state: TrainingState, added: set[str]) -> dict[str, Any]:
    """State of an optimizer from before some weights existed; they begin without moments.

    Which weights may be missing is for the modules to say, when they load their own state.
    """
    new = {id(weight) for name, weight in state.model.named_parameters() if name in added}
    moments: dict[int, Any] = {}
    groups, place = [], 0
    for group, saved_group in zip(state.optimizer.param_groups, saved["param_groups"], strict=True):
        before, first = iter(saved_group["params"]), place
        for weight in group["params"]:
            if id(weight) not in new:
                index = next(before)
                if index in saved["state"]:
                    moments[place] = saved["state"][index]
            place += 1
        groups.append({**saved_group, "params": list(range(first, place))})
    return {"state": moments, "param_groups": groups}


def _check_config(path: Path, found: dict[str, Any], expected: dict[str, Any]) -> None:
    different = [
        f"{key} = {found.get(key)!r} (now {expected.get(key)!r})"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    ]
    if different:
        raise ValueError(
            f"{path} was made with other settings: {', '.join(different)}; "
            "expected the same ones, or another output folder"
        )
