"""Simulated scan batches by index, for data loaders and evaluations."""

from torch.utils.data import Dataset

from conegrad_simulation.lidar.scan_sampler import ScanBatch, sample_batch


class SimulatedScans(Dataset[ScanBatch]):
    """Batches of scans, each a pure function of its seed ``first_seed + index``."""

    def __init__(self, first_seed: int, batches: int, size: int) -> None:
        self.first_seed, self.batches, self.size = first_seed, batches, size

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> ScanBatch:
        if not 0 <= index < self.batches:
            raise IndexError(f"index is {index}, expected one in [0, {self.batches})")
        return sample_batch(self.first_seed + index, self.size)
