"""Per-beam quality of a scan network on unseen scans."""

import torch
from torch import Tensor, nn

from conegrad_core.lidar.beam_features import covers_full_turn
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.metrics.beams import BeamCounts, count_beams
from conegrad_simulation.lidar.scan_sampler import ScanBatch
from conegrad_simulation.samples.frame_sampler import sample_frame
from conegrad_training.supervised.simulated_scans import SimulatedScans

NEAR = 12.0  # [m], the working range that systems are evaluated in


def beam_logits(network: nn.Module, batch: ScanBatch) -> Tensor:
    """``(S, B)`` logits of the scans of one sensor."""
    ranges = torch.as_tensor(batch.ranges)
    wraps = covers_full_turn(ranges.shape[-1], batch.step)
    profile = None if batch.profile is None else torch.as_tensor(batch.profile)
    logits: Tensor = network(ranges, torch.tensor(batch.step, dtype=ranges.dtype), wraps, profile)
    return logits


@torch.no_grad()
def evaluate_batches(network: nn.Module, scans: SimulatedScans) -> BeamCounts:
    """Count the beams of all batches at probability 0.5."""
    counts = BeamCounts()
    for index in range(len(scans)):
        counts = counts + _counted(network, scans[index])
    return counts


@torch.no_grad()
def evaluate_recording(network: nn.Module, scans: ScanBatch) -> BeamCounts:
    """Count the beams of ``(T, R, N)`` recorded scans at probability 0.5."""
    counts = BeamCounts()
    for ranges, labels in zip(scans.ranges, scans.labels, strict=True):
        counts = counts + _counted(network, ScanBatch(ranges, labels, scans.step))
    return counts


def _counted(network: nn.Module, batch: ScanBatch) -> BeamCounts:
    ranges, labels = torch.as_tensor(batch.ranges), torch.as_tensor(batch.labels)
    return count_beams(beam_logits(network, batch), labels, ranges)


@torch.no_grad()
def evaluate_vehicle(
    network: nn.Module, vehicle_name: str, first_seed: int, frames: int
) -> dict[str, BeamCounts]:
    """Count the beams of frames of a vehicle's preset in varied worlds, near and at any range."""
    vehicle = load_vehicle(vehicle_name)
    near, everything = BeamCounts(), BeamCounts()
    for seed in range(first_seed, first_seed + frames):
        frame = sample_frame(seed, vehicle)
        ranges, labels = torch.as_tensor(frame.ranges), torch.as_tensor(frame.labels)
        batch = ScanBatch(frame.ranges[None], frame.labels[None], vehicle.lidar.angle_increment)
        logits = beam_logits(network, batch)[0]
        everything = everything + count_beams(logits, labels, ranges)
        near = near + count_beams(logits, labels, ranges.where(ranges <= NEAR, torch.nan))
    return {f"within {NEAR:g} m": near, "any range": everything}
