"""The batches of a training run: a pure function of seed and step, so that a run can resume."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from conegrad_core.processes.worker_process import read_ahead, start_forked
from conegrad_data.errors import TrainingError
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.data.augmentation import AugmentationConfig, augmented
from conegrad_training.data.disturbed_training import DisturbedTraining
from conegrad_training.engine.distributed import count, rank

LOST = "DataLoader worker"  # begins what torch says where one was killed
AHEAD = 3  # batches that each worker reads ahead


class SampleBatches(Dataset[list[Sample]]):
    """The batch of each step; every epoch is a new permutation of all samples.

    Processes that train together each have their share of every batch.
    """

    def __init__(
        self,
        samples: Dataset[Sample],
        *,
        seed: int,
        batch: int,
        steps: int,
        augmentation: AugmentationConfig,
        disturbances: DisturbedTraining | None = None,
    ) -> None:
        """Remember the order.

        Args:
            samples: with a length.
            seed: of order and augmentation.
            batch: samples per step, of all processes together.
            steps: length of the run.
            augmentation: of each sample; drawn anew in every epoch.
            disturbances: of the same samples, of which a share is disturbed before; None: of none.

        Raises:
            ValueError: if a batch cannot be shared evenly: the mean of the processes would not be
                that of all samples.
        """
        if batch % count():
            raise ValueError(f"batch is {batch}, expected a multiple of the {count()} processes")
        self._rank, self._processes = rank(), count()
        self.samples: Any = samples
        self.seed, self.batch, self.steps = seed, batch, steps
        self.augmentation, self._disturbances = augmentation, disturbances

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> list[Sample]:
        """Samples of a step that this process has."""
        places = range(step * self.batch, (step + 1) * self.batch)
        return [self._sample(place) for place in places[self._rank :: self._processes]]

    def positions(self, step: int) -> list[int]:
        """Which samples a step sees, in all processes."""
        places = range(step * self.batch, (step + 1) * self.batch)
        return [position(place, len(self.samples), self.seed) for place in places]

    def _sample(self, place: int) -> Sample:
        chosen = position(place, len(self.samples), self.seed)
        rng = np.random.default_rng((self.seed, place, 0xA06))
        if self._disturbances is None:
            sample = self.samples[chosen]
        else:
            sample = self._disturbances.sample(chosen, place)
        return augmented(sample, self.augmentation, rng)


def position(place: int, count: int, seed: int) -> int:
    """Sample at a place of the endless sequence of epochs, each a permutation of its own."""
    epoch, within = divmod(place, count)
    return int(np.random.default_rng((seed, epoch, 0x0DE)).permutation(count)[within])


def joined(datasets: Sequence[Dataset[Sample]]) -> Dataset[Sample]:
    """The samples of several drives, one after the other."""
    return ConcatDataset(datasets)


def evenly(samples: Dataset[Sample], count: int) -> Dataset[Sample]:
    """``count`` samples spread evenly over all; all of them for 0 or where there are fewer."""
    total = len(samples)  # type: ignore[arg-type]
    if count == 0 or count >= total:
        return samples
    return Subset(samples, [place * total // count for place in range(count)])


def stream(batches: SampleBatches, start: int, workers: int) -> Iterator[list[Sample]]:
    """Batches from a step on, read ahead by worker processes.

    Args:
        batches: the run.
        start: first step.
        workers: processes that read; 0 reads in this one, when asked.

    Raises:
        TrainingError: if a process that reads was killed.
        ValueError: as of the samples, likewise OSError.
    """
    remaining = Subset(_Told(batches), range(start, len(batches)))
    loader: Any = DataLoader(
        remaining,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=start_forked,
        generator=torch.Generator(),  # the loader draws worker seeds: not from ours
        prefetch_factor=AHEAD if workers else None,
    )
    with lost_readers_told():
        for batch in read_ahead(loader):
            if isinstance(batch, Exception):
                raise batch
            yield batch


@contextmanager
def lost_readers_told() -> Iterator[None]:
    """Name a reading process that was killed; torch says so wherever the main thread is.

    Raises:
        TrainingError: for such a process.
    """
    try:
        yield
    except TrainingError:
        raise
    except RuntimeError as error:
        if not str(error).startswith(LOST):
            raise
        raise TrainingError(
            f"a process that reads samples ended ({str(error).splitlines()[0]}); if memory ran "
            "out, take fewer workers; the run can be resumed"
        ) from error


class _Told(Dataset[Any]):
    """Errors of samples as values: the loader would put a traceback into their messages."""

    def __init__(self, batches: SampleBatches) -> None:
        self._batches = batches

    def __getitem__(self, step: int) -> Any:
        try:
            return self._batches[step]
        except (ValueError, OSError) as error:
            return error


def _as_it_is(batch: list[Sample]) -> list[Sample]:
    """The loader would turn images into tensors, which the modules of the car do not take."""
    return batch
