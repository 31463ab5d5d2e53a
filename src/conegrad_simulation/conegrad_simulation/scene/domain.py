"""Domains: the world of a drive, and the offsets of its sensors from their calibration."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.vehicle import Mounting, Vehicle
from conegrad_simulation.scene.world import PRESETS, World


class MountingOffset(NamedTuple):
    """Offset of a sensor from its calibrated mounting [m, rad]; axes as of a mounting."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0


NO_OFFSET = MountingOffset()


@dataclass(frozen=True)
class Domain:
    """Conditions of a drive.

    Attributes:
        world: domain parameters; every drive varies them slightly.
        camera_offset: of the camera, absent from the calibration.
        lidar_offset: of the LiDAR, likewise.
    """

    world: World
    camera_offset: MountingOffset = NO_OFFSET
    lidar_offset: MountingOffset = NO_OFFSET

    def actual_vehicle(self, vehicle: Vehicle) -> Vehicle:
        """The vehicle with the actual mountings: calibrated mountings plus offsets."""
        camera, lidar = vehicle.camera, vehicle.lidar
        return dataclasses.replace(
            vehicle,
            camera=dataclasses.replace(
                camera, mounting=_offset_mounting(camera.mounting, self.camera_offset)
            ),
            lidar=dataclasses.replace(
                lidar, mounting=_offset_mounting(lidar.mounting, self.lidar_offset)
            ),
        )


def _offset_mounting(mounting: Mounting, offset: MountingOffset) -> Mounting:
    values = {name: getattr(mounting, name) + by for name, by in offset._asdict().items()}
    return Mounting(**values)


FALLEN_SHARE = 0.15  # of the cones, where telling them apart is measured

DOMAINS = {
    "fair": Domain(PRESETS["clear"]),
    # Dusk and rain under sodium lamps, whose colour is outside the training data of the shipped
    # weights; a wet LiDAR in more clutter; both sensors displaced, as after a hit on a kerb.
    "sodium_evening": Domain(
        dataclasses.replace(
            PRESETS["dusk_rain"],
            white_balance=(1.35, 0.68), saturation=0.5, exposure=0.6, fog=0.3, noise=6.0,
            blur=0.8, motion_blur=2.0, jpeg=50, clutter=0.6,
            range_noise=0.03, range_dropout=0.08, range_mixed=0.4, lidar_specks=4.0,
        ),
        camera_offset=MountingOffset(x=0.02, y=0.03, z=-0.03, pitch=0.026, yaw=0.012),
        lidar_offset=MountingOffset(x=-0.02, y=0.03, yaw=-0.012),
    ),
}  # fmt: skip
# The same evening, and every seventh cone has fallen over.
DOMAINS["fallen_evening"] = dataclasses.replace(
    DOMAINS["sodium_evening"],
    world=dataclasses.replace(DOMAINS["sodium_evening"].world, fallen=FALLEN_SHARE),
)
