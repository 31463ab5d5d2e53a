"""Scenes as files: every cone, obstacle and wall, exactly."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from conegrad_simulation.scene.scene import Scene

INTEGER_FIELDS = ("cone_classes", "obstacle_kinds", "wall_kinds")
COLUMNS = {"cone_positions": 2, "cone_leans": 2, "obstacles": 3, "walls": 4}


def save_scene(scene: Scene, path: Path) -> None:
    """Write a scene as JSON; numbers read back exactly."""
    values = {f.name: getattr(scene, f.name).tolist() for f in dataclasses.fields(Scene)}
    path.write_text(json.dumps(values, indent=1))


def load_scene(path: Path) -> Scene:
    """Read a scene.

    Raises:
        ValueError: naming the file, if it does not hold a scene.
    """
    try:
        values = json.loads(path.read_text())
        return Scene(**{f.name: _array(f.name, values[f.name]) for f in dataclasses.fields(Scene)})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a scene file: {error!r}") from error


def _array(name: str, values: object) -> np.ndarray:
    array = np.array(values, dtype=np.int64 if name in INTEGER_FIELDS else np.float64)
    return array.reshape(-1, COLUMNS[name]) if name in COLUMNS else array.reshape(-1)
