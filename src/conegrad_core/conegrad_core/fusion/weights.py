"""The file of what the fusion has learned: single numbers by name, in physical units."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from conegrad_core.fusion.extrinsic_correction import NAMES as MOUNTING
from conegrad_core.fusion.extrinsic_correction import ExtrinsicCorrection
from conegrad_core.fusion.scalars import ADDED_LATER, FusionScalars, ScalarValues
from conegrad_core.weights import in_one_line
from conegrad_core.whole_file import write_whole


def save_learned(scalars: FusionScalars, mounting: ExtrinsicCorrection, path: Path) -> None:
    """Write scalars and corrections to a safetensors file."""
    values = {**scalars.values(), **mounting.values()}
    write_whole(path, save({name: torch.tensor(value) for name, value in values.items()}))


def load_learned(scalars: FusionScalars, mounting: ExtrinsicCorrection, path: Path) -> None:
    """Read a file of :func:`save_learned`; one without corrections has none.

    Files from before a scalar of :data:`ADDED_LATER` existed keep its built-in value.

    Raises:
        ValueError: if the file is none of ours, lacks a scalar or holds a bad value.
    """
    values = _numbers(path)
    missing = sorted(set(ScalarValues._fields) - ADDED_LATER - set(values))
    if missing:
        raise ValueError(f"{path} lacks the fusion scalars {', '.join(missing)}")
    corrections = {name: values.pop(name, 0.0) for name in MOUNTING}
    try:
        scalars.set_values(values)
        mounting.set_values(corrections)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _numbers(path: Path) -> dict[str, float]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: float(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file: {in_one_line(error)}") from error
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path} holds no single numbers: {in_one_line(error)}") from error
