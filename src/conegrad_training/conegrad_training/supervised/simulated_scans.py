"""Simulated scan batches by index, for data loaders and evaluations."""

import numpy as np
from torch.utils.data import Dataset

from conegrad_simulation.lidar.scan_sampler import ScanBatch, sample_batch
from conegrad_training.supervised.cloud_scans import sample_cloud_batch

CLOUD_SIZE = 0.5  # clouds per scan of a batch: theirs have several turns


class SimulatedScans(Dataset[ScanBatch]):
    """Batches of scans, each a pure function of its seed ``first_seed + index``.

    Args:
        first_seed: of the first batch.
        batches: their number.
        size: scans per batch of a planar LiDAR; of clouds there are half as many.
        cloud_share: probability that a batch is made of clouds.
    """

    def __init__(
        self, first_seed: int, batches: int, size: int, *, cloud_share: float = 0.0
    ) -> None:
        self.first_seed, self.batches, self.size = first_seed, batches, size
        self.cloud_share = cloud_share

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> ScanBatch:
        if not 0 <= index < self.batches:
            raise IndexError(f"index is {index}, expected one in [0, {self.batches})")
        seed = self.first_seed + index
        if np.random.default_rng((seed, 0xC10D)).random() < self.cloud_share:
            return sample_cloud_batch(seed, max(1, round(CLOUD_SIZE * self.size)))
        return sample_batch(seed, self.size)


class MixedScans(Dataset[ScanBatch]):
    """Batches of two sets, each drawn by its index.

    Args:
        first: set of batches.
        second: set of as many.
        share: probability of a batch of the second.
        seed: of the draws.
    """

    def __init__(
        self, first: Dataset[ScanBatch], second: Dataset[ScanBatch], share: float, seed: int
    ) -> None:
        self._sets, self._share, self._seed = (first, second), share, seed

    def __len__(self) -> int:
        return len(self._sets[0])  # type: ignore[arg-type]  # both have a length

    def __getitem__(self, index: int) -> ScanBatch:
        draw = np.random.default_rng((self._seed, index)).random()
        return self._sets[int(draw < self._share)][index]
