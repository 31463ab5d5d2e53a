"""Paired frames of drives on random tracks, in which every cone appears many times."""

import dataclasses
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import Vehicle
from conegrad_simulation.planar import to_parent
from conegrad_simulation.recording.drive import DriveConfig, PlannedDrive
from conegrad_simulation.samples.frame_sampler import Frame, FrameSetup, frame_of
from conegrad_simulation.samples.random_camera import padded_vehicle_camera
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.domain import Domain
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track_random import random_track

INTERVAL = 0.6  # [s] between frames: about 4 m, so that frames differ
VIBRATION = 0.002  # [rad], standard deviation of the camera's attitude against the car


class _TrackDrive(NamedTuple):
    scene: Scene
    world: World
    drive: PlannedDrive


@dataclasses.dataclass(frozen=True)
class DriveFrames:
    """Frames of several drives, each on its own random track; a pure function of the settings.

    Attributes:
        vehicle: the car with its calibrated mountings.
        domain: world of the drives, and offsets of the sensors.
        first_seed: of the first drive and its track; the next ones follow.
        frames_per_drive: before the next drive begins.
        size: width and height of the images [px].
    """

    vehicle: Vehicle
    domain: Domain
    first_seed: int
    frames_per_drive: int = 50
    size: tuple[int, int] = (640, 360)

    def frame(self, index: int) -> Frame:
        """A frame by its index in the sequence of drives, from 0."""
        drive, place = divmod(index, self.frames_per_drive)
        seed, track_drive = self.first_seed + drive, self._track_drive(drive)
        state = track_drive.drive.state(place * INTERVAL)
        rng = np.random.default_rng((seed, place, 0xD21F))
        jitter = rng.normal(0.0, VIBRATION, 3)
        world = dataclasses.replace(
            track_drive.world,
            vehicle_pitch=state.pitch,
            vehicle_roll=state.roll,
            camera_jitter=(float(jitter[0]), float(jitter[1]), float(jitter[2])),
        )
        actual, calibrated = (
            FrameSetup(
                track_drive.scene,
                state.pose,
                world,
                padded_vehicle_camera(car, self.size),
                car.lidar,
            )
            for car in (self.domain.actual_vehicle(self.vehicle), self.vehicle)
        )
        return frame_of(actual, calibrated, seed * 1_000 + place, self.size)

    def cones_of_map(self, index: int, positions: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
        """Identity of the true cones of a frame.

        Args:
            index: of the frame.
            positions: ``(N, 2)`` of true cones in the calibrated LiDAR frame [m].

        Returns:
            Drive and row in its map of the cone nearest to each position.
        """
        drive, place = divmod(index, self.frames_per_drive)
        track_drive = self._track_drive(drive)
        x, y, yaw = track_drive.drive.state(place * INTERVAL).pose
        mounting = self.vehicle.lidar.mounting
        in_base = to_parent(positions.astype(np.float64), mounting.x, mounting.y, mounting.yaw)
        in_map = to_parent(in_base, x, y, yaw)
        gaps = np.linalg.norm(in_map[:, None] - track_drive.scene.cone_positions[None], axis=2)
        return [(drive, int(row)) for row in gaps.argmin(axis=1)]

    def _track_drive(self, drive: int) -> _TrackDrive:
        world, spacing = self.domain.world, self.vehicle.cone_spacing_scale
        return _track_drive(self.first_seed + drive, world, spacing)


@lru_cache(maxsize=16)
def _track_drive(seed: int, world: World, spacing: float) -> _TrackDrive:
    track = random_track(seed).scaled(spacing)
    world = world.jittered(np.random.default_rng((seed, 0xD0A1)))
    return _TrackDrive(
        track_scene(track, world, seed), world, PlannedDrive(track, DriveConfig(), seed)
    )
