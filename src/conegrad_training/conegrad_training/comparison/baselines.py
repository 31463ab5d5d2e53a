"""Baselines: the weights that the runs of a condition start from, and their metrics untrained."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_evaluation.system.system_metrics import measure
from conegrad_training.comparison.degradation import degrade
from conegrad_training.comparison.drive_samples import DriveSamples
from conegrad_training.comparison.results import write_json
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

BASELINE = "baseline.json"


class Baseline(NamedTuple):
    """The system that all runs of a condition start from.

    Attributes:
        system: weights and input size.
        headline: headline metrics.
        before_degradation: headline metrics of the weights before they were degraded; the same
            where nothing is degraded.
    """

    system: SystemConfig
    headline: dict[str, float]
    before_degradation: dict[str, float]


def fingerprint(config: SystemConfig) -> str:
    """Hash of all weights and scalars of a system, independent of their files."""
    return fingerprint_of(load_system(config))


def fingerprint_of(system: TrainableSystem) -> str:
    """As :func:`fingerprint`, of a system that is loaded."""
    digest = hashlib.sha256()
    for name, values in system.state_dict().items():
        digest.update(name.encode())
        digest.update(values.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def prepare_baseline(
    system: SystemConfig, degradation: Mapping[str, Any], test: DriveSamples, folder: Path
) -> Baseline:
    """Degrade and measure a system, or read the baseline that a folder holds already.

    Args:
        system: weights and input size.
        degradation: arguments of :func:`conegrad_training.comparison.degradation.degrade`, or
            empty.
        test: samples of the metrics.
        folder: of the baseline; gets its metrics and, if degraded, its weights.
    """
    if not (folder / BASELINE).exists():
        _make(system, degradation, test, folder)
    found = json.loads((folder / BASELINE).read_text(encoding="utf-8"))
    weights = {stage: folder / name for stage, name in found["weights"].items()}
    return Baseline(system.with_weights(weights), found["baseline"], found["before_degradation"])


def _make(
    config: SystemConfig, degradation: Mapping[str, Any], test: DriveSamples, folder: Path
) -> None:
    system = load_system(config)
    evaluation = TrainingConfig().evaluation
    before = baseline = measure(system, test.all(), evaluation).headline()
    weights = {}
    if degradation:
        degrade(system, degradation)
        baseline = measure(system, test.all(), evaluation).headline()
        weights = {stage: path.name for stage, path in system.save(folder).items()}
    content = {"baseline": baseline, "before_degradation": before, "weights": weights}
    write_json(folder / BASELINE, content)
