"""Domains: the world that a car drives in, and how far its sensors have moved."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.vehicle import Mounting, Vehicle
from conegrad_simulation.scene.world import PRESETS, World


class Move(NamedTuple):
    """How far a sensor sits from where its calibration says [m, rad]; axes as of a mounting."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0


NOT_MOVED = Move()


@dataclass(frozen=True)
class Domain:
    """Conditions of a drive.

    Attributes:
        world: looks and disturbances; every drive varies them a little.
        camera: move of the camera; the calibration does not know of it.
        lidar: move of the LiDAR, likewise.
    """

    world: World
    camera: Move = NOT_MOVED
    lidar: Move = NOT_MOVED

    def moved(self, vehicle: Vehicle) -> Vehicle:
        """The vehicle with its sensors where they really are."""
        camera, lidar = vehicle.camera, vehicle.lidar
        return dataclasses.replace(
            vehicle,
            camera=dataclasses.replace(camera, mounting=_moved(camera.mounting, self.camera)),
            lidar=dataclasses.replace(lidar, mounting=_moved(lidar.mounting, self.lidar)),
        )


def _moved(mounting: Mounting, move: Move) -> Mounting:
    values = {name: getattr(mounting, name) + by for name, by in move._asdict().items()}
    return Mounting(**values)


DOMAINS = {
    "fair": Domain(PRESETS["clear"]),
    # Dusk and rain under sodium lamps, whose colour lies outside what the shipped weights were
    # trained on; a wet LiDAR among more clutter; and both sensors knocked by a kerb.
    "sodium_evening": Domain(
        dataclasses.replace(
            PRESETS["dusk_rain"],
            white_balance=(1.35, 0.68), saturation=0.5, exposure=0.6, fog=0.3, noise=6.0,
            blur=0.8, motion_blur=2.0, jpeg=50, clutter=0.6,
            range_noise=0.03, range_dropout=0.08, range_mixed=0.4, lidar_specks=4.0,
        ),
        camera=Move(x=0.02, y=0.03, z=-0.03, pitch=0.026, yaw=0.012),
        lidar=Move(x=-0.02, y=0.03, yaw=-0.012),
    ),
}  # fmt: skip
