"""Where the runs of a condition begin: weights, and what they reach untrained."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_training.comparison.degradation import weaken
from conegrad_training.comparison.drive_samples import DriveSamples
from conegrad_training.comparison.results import write_json
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.systems.system import SystemConfig, load_system, save_system
from conegrad_training.systems.system_metrics import measure

START = "start.json"


class Start(NamedTuple):
    """A start.

    Attributes:
        system: its weights.
        headline: its metrics.
        intact: metrics before it was weakened.
    """

    system: SystemConfig
    headline: dict[str, float]
    intact: dict[str, float]


def fingerprint(config: SystemConfig) -> str:
    """Hash of all weights and scalars of a system, wherever they come from."""
    digest = hashlib.sha256()
    for name, values in load_system(config).state_dict().items():
        digest.update(name.encode())
        digest.update(values.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def prepare_start(
    system: SystemConfig, weakening: Mapping[str, Any], test: DriveSamples, folder: Path
) -> Start:
    """Weaken and measure a system, or read what was done before.

    Args:
        system: weights and input size.
        weakening: arguments of :func:`conegrad_training.comparison.degradation.weaken`, or empty.
        test: samples of the metrics.
        folder: of the start.
    """
    if not (folder / START).exists():
        _make(system, weakening, test, folder)
    found = json.loads((folder / START).read_text(encoding="utf-8"))
    weights: dict[str, Any] = {part: str(folder / name) for part, name in found["weights"].items()}
    return Start(dataclasses.replace(system, **weights), found["start"], found["intact"])


def _make(
    config: SystemConfig, weakening: Mapping[str, Any], test: DriveSamples, folder: Path
) -> None:
    system = load_system(config)
    evaluation = TrainingConfig().evaluation
    intact = start = measure(system, test.all(), evaluation).headline()
    weights = {}
    if weakening:
        weaken(system, weakening)
        start = measure(system, test.all(), evaluation).headline()
        weights = {part: path.name for part, path in save_system(system, folder).items()}
    write_json(folder / START, {"start": start, "intact": intact, "weights": weights})
