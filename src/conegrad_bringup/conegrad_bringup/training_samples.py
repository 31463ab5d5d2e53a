"""The samples that commands of the training take: of bags, or simulated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import read_roles
from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.scene.world import LEVELS
from conegrad_training.action.goal_settings import DataConfig
from conegrad_training.data.training_data import bag_data, simulated_data
from conegrad_training.engine.training_run import Data, TrainingConfig

DEFAULT_VEHICLE = "formula_student"


@dataclass(frozen=True)
class SimulatedSettings(Config):
    """Simulated samples in place of recorded ones."""

    simulated: int = setting(0, "Simulated frames in place of bags; 0: bags", low=0)
    level: str = setting("varied", "Variety of simulated frames", choices=LEVELS)


def read_samples(
    bags: Sequence[Path], chosen: DataConfig, simulated: SimulatedSettings, training: TrainingConfig
) -> Data:
    """Samples to learn from and to evaluate on.

    Args:
        bags: of the command line.
        chosen: what to take of them.
        simulated: whether to simulate instead.
        training: settings of the training.

    Raises:
        ReplayError: if there is no bag, or one cannot be learned from.
        AlignmentError: if no sensor could ever see a cone of the map in one of the drives.
    """
    vehicle = load_vehicle(chosen.vehicle) if chosen.vehicle else None
    seed = training.run.seed
    if simulated.simulated:
        car = vehicle or load_vehicle(DEFAULT_VEHICLE)
        return simulated_data(car, simulated.simulated, simulated.level, seed)
    return bag_data(
        bags,
        tests=[Path(test) for test in chosen.tests],
        test_share=chosen.test_share,
        seed=seed,
        track=Path(chosen.track) if chosen.track else None,
        vehicle=vehicle,
        reduction=training.reduction,
        sweep=training.sweep,
        topics=read_roles(chosen.topics),
    )
