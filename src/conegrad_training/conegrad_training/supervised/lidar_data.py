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
from conegrad_training.supervised.simulated_scans import MixedScans, SimulatedScans

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


class SimulatedShare(NamedTuple):
    """How much of what is simulated.

    Attributes:
        clouds: share of the simulated batches that are made of clouds of 3-D LiDARs.
        sensors: unseen ones of either kind to evaluate on.
        frames: unseen ones per vehicle to evaluate on.
    """

    clouds: float
    sensors: int
    frames: int


def simulated_data(first_seed: int, batches: int, size: int, share: SimulatedShare) -> LidarData:
    """Random sensors in random surroundings.

    Args:
        first_seed: of the first batch.
        batches: to learn from.
        size: scans per batch.
        share: of clouds, and what is evaluated on.
    """
    scans = SimulatedScans(first_seed, batches, size, cloud_share=share.clouds)
    return LidarData(
        "simulated scans and clouds only",
        scans,
        lambda network: (
            evaluate_sensors(network, size, share) | evaluate_vehicles(network, share.frames)
        ),
    )


def evaluate_sensors(network: nn.Module, size: int, share: SimulatedShare) -> dict[str, BeamCounts]:
    """Counts of the beams of unseen sensors, planar ones and clouds."""
    kinds = {"random sensors and clutter": 0.0, "random clouds": 1.0}
    return {
        name: evaluate_batches(
            network, SimulatedScans(EVALUATION_SEED, share.sensors, size, cloud_share=clouds)
        )
        for name, clouds in kinds.items()
    }


def evaluate_vehicles(network: nn.Module, frames: int) -> dict[str, BeamCounts]:
    """Counts of the beams of unseen frames of two vehicles."""
    metrics: dict[str, BeamCounts] = {}
    for name in VEHICLES:
        groups = evaluate_vehicle(network, name, EVALUATION_SEED, frames)
        metrics |= {f"{name}, {group}": counts for group, counts in groups.items()}
    return metrics


def recorded_data(
    path: Path,
    held_out: str,
    first_seed: int,
    batches: int,
    size: int,
    *,
    mix: float,
    share: SimulatedShare,
) -> LidarData:
    """Labelled scans of files, mixed with simulated ones of other sensors.

    Args:
        path: an .npz file, or a folder of them.
        held_out: files to evaluate on; empty: the last third of each.
        first_seed: of the first batch.
        batches: to learn from.
        size: scans per batch.
        mix: share of the batches that are simulated.
        share: of clouds among them, and what is evaluated on beside the recordings.

    Raises:
        ValueError: if a file has another layout, or nothing is left for one of both sides.
        FileNotFoundError: if there is no such path.
    """
    training, unseen = read_split(path, held_out)
    names = ", ".join(recording.name for recording in training)
    values = sum(recording.label_values for recording in training)

    def evaluate(network: nn.Module) -> dict[str, BeamCounts]:
        recorded = {
            f"{recording.name}, kept aside": evaluate_recording(network, recording.scans)
            for recording in unseen
        }
        return recorded | evaluate_sensors(network, size, share)

    recorded = LabelledScans(training, first_seed, batches, size)
    simulated = SimulatedScans(first_seed, batches, size, cloud_share=share.clouds)
    mixed = f", {mix:.0%} of the batches simulated" if mix else ""
    return LidarData(
        f"recorded scans: {names}, {values} labelled beams{mixed}",
        MixedScans(recorded, simulated, mix, first_seed),
        evaluate,
    )
