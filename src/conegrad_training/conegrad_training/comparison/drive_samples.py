"""Simulated drives as samples in memory, with the label values of their map."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from torch.utils.data import Dataset

from conegrad_core.cones import LABEL_VALUES_PER_CONE, TrueCones
from conegrad_core.losses import EndLossConfig
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_training.data.simulated_samples import sample_of_frame
from conegrad_training.engine.loop import counted_truth

TruthOf = Callable[[Sample], TrueCones]
ShowProgress = Callable[[Iterable[int], int, str], Iterable[int]]


class DriveSamples(Dataset[Sample]):
    """The first frames of a sequence of drives, rendered once; with the labels of every loss."""

    def __init__(
        self, frames: DriveFrames, count: int, name: str, progress: ShowProgress | None = None
    ) -> None:
        """Render.

        Args:
            frames: the drives.
            count: frames.
            name: of the domain, for the keys of the samples.
            progress: wraps the places to show progress; given them, their number and a title.
        """
        self._frames, self._name = frames, name
        places: Iterable[int] = range(count)
        self._samples = [
            self._sample(place)
            for place in (progress(places, count, f"frames of {name}") if progress else places)
        ]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, position: int) -> Sample:
        """Sample at a position."""
        return self._samples[position]

    def all(self) -> Iterator[Sample]:
        """Every sample in order."""
        return iter(self._samples)

    def map_values(self, positions: Sequence[int], truth_of: TruthOf, config: EndLossConfig) -> int:
        """Label values of samples if each cone of the map is measured once.

        Args:
            positions: of the samples.
            truth_of: truth of a sample as it counts for the pipeline that learns.
            config: of the end loss, which decides the cones that count.
        """
        cones: set[tuple[int, int]] = set()
        for position in positions:
            truth = truth_of(self._samples[position])
            counted = truth.positions[counted_truth(truth, config)].numpy()
            cones.update(self._frames.cones_of_map(position, counted))
        return LABEL_VALUES_PER_CONE * len(cones)

    def _sample(self, place: int) -> Sample:
        key = SampleKey(f"{self._name} from seed {self._frames.first_seed}", place, 0)
        return sample_of_frame(self._frames.frame(place), key)
