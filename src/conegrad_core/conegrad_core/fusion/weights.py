"""The file of what the fusion has learned: single numbers by name, in physical units."""

from pathlib import Path

from conegrad_core.fusion.extrinsic_correction import NAMES as MOUNTING
from conegrad_core.fusion.extrinsic_correction import ExtrinsicCorrection
from conegrad_core.fusion.scalars import FusionScalars
from conegrad_core.learned_scalars import read_numbers, write_numbers


def save_learned(scalars: FusionScalars, mounting: ExtrinsicCorrection, path: Path) -> None:
    """Write scalars and corrections to a safetensors file."""
    write_numbers({**scalars.values(), **mounting.values()}, path)


def load_learned(scalars: FusionScalars, mounting: ExtrinsicCorrection, path: Path) -> None:
    """Read a file of :func:`save_learned`; one without corrections has none.

    Files from before a scalar of :data:`~.scalars.ADDED_LATER` existed keep its built-in value.

    Raises:
        ValueError: if the file is none of ours, lacks a scalar or holds a bad value.
    """
    values = read_numbers(path)
    corrections = {name: values.pop(name, 0.0) for name in MOUNTING}
    scalars.set_all(values, path)
    try:
        mounting.set_values(corrections)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
