"""Training and test data of the scan network: simulated scans, or labelled recordings."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from torch import nn
from torch.utils.data import Dataset

from conegrad_evaluation.metrics.beams import BeamCounts
from conegrad_simulation.lidar.scan_sampler import ScanBatch
from conegrad_training.supervised.labelled_scans import LabelledScans, read_split
from conegrad_training.supervised.lidar_evaluation import (
    evaluate_batches,
    evaluate_recording,
    evaluate_vehicle,
)
from conegrad_training.supervised.simulated_scans import SimulatedScans

EVALUATION_SEED = 900_000_000  # seeds from here on are never trained on
VEHICLES = ("formula_student", "roboracer")


class LidarData(NamedTuple):
    """Scans of a training.

    Attributes:
        description: of what is learned from, for the card.
        batches: to learn from.
        evaluate: counts of the beams that are kept aside, by name.
    """

    description: str
    batches: Dataset[ScanBatch]
    evaluate: Callable[[nn.Module], dict[str, BeamCounts]]


def simulated_data(
    first_seed: int, batches: int, size: int, *, sensors: int, frames: int
) -> LidarData:
    """Random sensors in random surroundings.

    Args:
        first_seed: of the first batch.
        batches: to learn from.
        size: scans per batch.
        sensors: unseen ones to evaluate on.
        frames: unseen ones per vehicle to evaluate on.
    """

    def evaluate(network: nn.Module) -> dict[str, BeamCounts]:
        unseen = SimulatedScans(EVALUATION_SEED, sensors, size)
        metrics = {"random sensors and clutter": evaluate_batches(network, unseen)}
        for name in VEHICLES:
            groups = evaluate_vehicle(network, name, EVALUATION_SEED, frames)
            metrics |= {f"{name}, {group}": counts for group, counts in groups.items()}
        return metrics

    return LidarData("simulated scans only", SimulatedScans(first_seed, batches, size), evaluate)


def recorded_data(path: Path, held_out: str, first_seed: int, batches: int, size: int) -> LidarData:
    """Labelled scans of files.

    Args:
        path: an .npz file, or a folder of them.
        held_out: files to evaluate on; empty: the last third of each.
        first_seed: of the first batch.
        batches: to learn from.
        size: scans per batch.

    Raises:
        ValueError: if a file has another layout, or nothing is left for one of both sides.
        FileNotFoundError: if there is no such path.
    """
    training, unseen = read_split(path, held_out)
    names = ", ".join(recording.name for recording in training)
    values = sum(recording.label_values for recording in training)

    def evaluate(network: nn.Module) -> dict[str, BeamCounts]:
        return {
            f"{recording.name}, kept aside": evaluate_recording(network, recording.scans)
            for recording in unseen
        }

    return LidarData(
        f"recorded scans: {names}, {values} labelled beams",
        LabelledScans(training, first_seed, batches, size),
        evaluate,
    )
