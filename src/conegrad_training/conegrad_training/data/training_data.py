"""The samples of a run: bags to learn from and bags to evaluate on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch.utils.data import Dataset

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.errors import ReplayError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.data.sample_stream import joined
from conegrad_training.data.simulated_samples import SimulatedSamples
from conegrad_training.data.split import split_by_sequence
from conegrad_training.engine.training_run import Data

UNSEEN_SEED = 900_000_000  # simulated frames from here on are never trained on


def bag_data(
    bags: Sequence[Path],
    *,
    tests: Sequence[Path] = (),
    test_share: float = 0.0,
    seed: int = 1,
    track: Path | None = None,
    vehicle: Vehicle | None = None,
    reduction: ReductionConfig | None = None,
    sweep: SweepConfig | None = None,
    topics: Mapping[str, str] | None = None,
) -> Data:
    """Samples of recorded drives.

    Args:
        bags: to learn from.
        tests: to evaluate on; where there are none, a share of ``bags`` is kept aside.
        test_share: of ``bags``; at 0 the training drives themselves are evaluated, which shows how
            well they were learned and not how well others will do.
        seed: of the split.
        track: map of the cones of all bags; None takes their truth topics.
        vehicle: preset that replaces the calibration of the bags.
        reduction: of point clouds to scans, as of the LiDAR node.
        sweep: what the driver says wrongly about the times of beams, likewise.
        topics: topics of all bags that the user chose, by role.

    Raises:
        ReplayError: if there is no bag, or one cannot be learned from.
        AlignmentError: if no sensor could ever see a cone of the map in one of the drives.
    """
    if not bags:
        raise ReplayError("no bags are given, expected at least one to learn from")
    training = list(bags)
    if not tests and test_share > 0:
        training, tests = split_by_sequence(training, test_share, seed)

    def replayed(paths: Sequence[Path]) -> Dataset[Sample]:
        return joined(
            [
                BagReplay(
                    path,
                    track=track,
                    vehicle=vehicle,
                    reduction=reduction,
                    sweep=sweep,
                    topics=topics,
                )
                for path in paths
            ]
        )

    return Data(
        replayed(training),
        replayed(tests or training),
        tuple(bag.name for bag in training),
        track,
        (*((bag, "training") for bag in training), *((bag, "evaluation") for bag in tests)),
    )


def simulated_data(vehicle: Vehicle, count: int, level: str, seed: int) -> Data:
    """Samples of the simulator, which also have boxes and beam labels."""
    made = SimulatedSamples(vehicle, first_seed=seed * 1_000_000, count=count, level=level)
    unseen = SimulatedSamples(vehicle, first_seed=UNSEEN_SEED, count=count, level=level)
    return Data(made, unseen, (f"{count} simulated frames, {vehicle.name}, {level}",))
