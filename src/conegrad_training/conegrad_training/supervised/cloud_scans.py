"""Simulated clouds of random 3-D LiDARs, reduced to scans with exact beam labels."""

import logging
from collections.abc import Iterator

import numpy as np
import torch

from conegrad_core.lidar.reduction import ReductionConfig, reduce_cloud
from conegrad_simulation.lidar.clouds.cloud_sampler import CloudFrame, sample_drive
from conegrad_simulation.lidar.scan_sampler import ScanBatch

logger = logging.getLogger(__name__)

BEAMS = (900, 1024, 1200, 1800)  # of a turn, common settings of the reduction
BEAMS_RANGE = (600, 2049)  # of the other half of the batches
FRAMES_PER_DRIVE = 2


def sample_cloud_batch(seed: int, size: int) -> ScanBatch:
    """Random clouds as scans of the same number of beams; a pure function of its arguments.

    Clouds in which no ground is found are left out.

    Args:
        seed: of every draw.
        size: number of scans S.
    """
    rng = np.random.default_rng(seed)
    common = rng.random() < 0.5
    beams = int(rng.choice(BEAMS) if common else rng.integers(*BEAMS_RANGE))
    config = ReductionConfig(beams=beams)
    rows = []
    for frame in _frames(rng):
        row = _reduced(frame, config)
        if row is not None:
            rows.append(row)
        if len(rows) == size:
            break
    ranges, labels, profiles = (np.stack(column) for column in zip(*rows, strict=True))
    return ScanBatch(ranges, labels, 2 * np.pi / beams, profiles)


def _frames(rng: np.random.Generator) -> Iterator[CloudFrame]:
    while True:
        yield from sample_drive(int(rng.integers(1 << 30)), FRAMES_PER_DRIVE).frames


def _reduced(
    frame: CloudFrame, config: ReductionConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Ranges, labels and profile of a cloud; None where it shows no ground."""
    try:
        scan, _, points = reduce_cloud(torch.from_numpy(frame.cloud.points), config)
    except ValueError as error:
        logger.debug("a simulated cloud is left out: %s", error)
        return None
    labels = (points >= 0) & frame.cloud.labels[points]
    return scan.ranges.numpy(), labels, np.asarray(scan.profile)
