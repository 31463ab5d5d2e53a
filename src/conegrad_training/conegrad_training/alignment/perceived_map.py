"""The cones that a whole drive confirms, in the frame of its odometry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.cones import COLOUR_NAMES, ConeClass, Cones
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.transforms import pose_matrix, transform_points
from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle
from conegrad_data.errors import ReplayError
from conegrad_data.recording.paired_drive import PairedDrive
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_training.alignment.map_alignment import SeenCones
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeenConesConfig(Config):
    """When a drive confirms a cone."""

    frames: int = setting(100, "Frames that are evaluated, spread evenly", low=1)
    sure_existence: float = setting(0.7, "Lowest probability of existence", low=0.01, high=0.99)
    sure_range: float = setting(10.0, "Farthest cone of a frame [m]", low=1.0)
    same_distance: float = setting(0.8, "Sightings closer than this count as one cone [m]", low=0.0)
    sightings: int = setting(3, "Smallest number of frames in which a cone is perceived", low=1)


class Sighting(NamedTuple):
    """What one frame saw, in the odometry frame.

    Attributes:
        pose: ``(3,)`` of the car: x, y [m], yaw [rad].
        positions: ``(N, 2)`` [m].
        colours: ``(N, 5)`` probabilities in the order of :data:`COLOUR_NAMES`.
    """

    pose: Floats
    positions: Floats
    colours: Floats


def seen_cones(
    bag: Path,
    config: SeenConesConfig | None = None,
    *,
    system: SystemConfig | None = None,
    vehicle: Vehicle | None = None,
    topics: Mapping[str, str] | None = None,
) -> SeenCones:
    """Perceive a drive and put together what its frames saw.

    Args:
        bag: the drive.
        config: when a drive confirms a cone.
        system: the models.
        vehicle: preset that replaces the calibration of the bag.
        topics: topics that the user chose, by role.

    Raises:
        ReplayError: if the bag lacks images, scans, calibration or odometry.
        BagError: if the bag cannot be read.
        FileNotFoundError: if there is no bag, or no weights.
    """
    config = config or SeenConesConfig()
    replay = BagReplay(bag, vehicle=vehicle, topics=topics, needs_truth=False)
    if not len(replay.drive.odometry.stamps_ns):
        fault = replay.drive.odometry.fault
        raise ReplayError(f"{bag}: a map is aligned with the odometry, and {fault}")
    try:
        return put_together(list(_sightings(replay, load_system(system), config)), config)
    finally:
        replay.close()


def put_together(sightings: list[Sighting], config: SeenConesConfig) -> SeenCones:
    """Cones seen in several frames, each once: mean position and most probable colour.

    Raises:
        ValueError: if there are no sightings.
    """
    if not sightings:
        raise ValueError("there are no sightings, expected at least one frame")
    sums = np.empty((0, 2 + len(COLOUR_NAMES) + 1))  # position, colours, count
    for sighting in sightings:
        rows = np.column_stack(
            [sighting.positions, sighting.colours, np.ones(len(sighting.positions))]
        )
        sums = _added(sums, rows, config.same_distance)
    sums = sums[sums[:, -1] >= config.sightings]
    poses = np.array([sighting.pose for sighting in sightings])
    return SeenCones(sums[:, :2] / sums[:, -1:], _classes(sums[:, 2:-1]), poses)


def _added(sums: Floats, rows: Floats, same_distance: float) -> Floats:
    """Each row joins the nearest cone so far, or is a new one; rows of a frame stay apart."""
    if not len(sums) or not len(rows):
        return np.concatenate([sums, rows])
    sums = sums.copy()
    means = sums[:, :2] / sums[:, -1:]
    distances = np.linalg.norm(rows[:, None, :2] - means[None], axis=-1)
    nearest = distances.argmin(axis=1)
    is_known = distances.min(axis=1) <= same_distance
    np.add.at(sums, nearest[is_known], rows[is_known])
    return np.concatenate([sums, rows[~is_known]])


def _classes(colours: Floats) -> npt.NDArray[np.int64]:
    """Most probable colour; unknown only where no frame saw one."""
    known = colours[:, : ConeClass.UNKNOWN]
    has_colour = known.sum(axis=1) > 0.5  # of one whole sighting
    return np.where(has_colour, known.argmax(axis=1), int(ConeClass.UNKNOWN)).astype(np.int64)


@torch.inference_mode()
def _sightings(
    replay: BagReplay, system: TrainableSystem, config: SeenConesConfig
) -> Iterator[Sighting]:
    count = min(config.frames, len(replay))
    for place in (index * len(replay) // count for index in range(count)):
        sample = replay[place]
        pose = replay.drive.odometry.at(sample.key.stamp_ns)
        if pose is not None:
            cones = select_cones(system([sample])[0], config.sure_existence)
            yield _in_odometry(cones, pose, replay.drive, config)


def _in_odometry(
    cones: Cones, pose: Floats, drive: PairedDrive, config: SeenConesConfig
) -> Sighting:
    odom_from_base = pose_matrix(*torch.from_numpy(pose))
    odom_from_lidar = odom_from_base @ drive.base_from_lidar.double()
    near = cones.positions.norm(dim=-1) <= config.sure_range
    level = torch.nn.functional.pad(cones.positions[near].double(), (0, 1))
    positions = transform_points(odom_from_lidar, level)[:, :2]
    return Sighting(pose, positions.numpy(), cones.colours[near].double().numpy())
