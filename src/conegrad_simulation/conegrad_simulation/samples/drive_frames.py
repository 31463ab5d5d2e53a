"""Paired frames of drives on random tracks: every cone of a track is seen many times."""

import dataclasses
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import Vehicle
from conegrad_simulation.planar import to_parent
from conegrad_simulation.recording.drive import Drive, DriveConfig
from conegrad_simulation.samples.frame_sampler import Frame, Setting, frame_of
from conegrad_simulation.samples.random_camera import vehicle_canvas
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.domain import Domain
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track_random import random_track

INTERVAL = 0.6  # [s] between frames: some 4 m, so that no two are alike
VIBRATION = 0.002  # [rad], standard deviation of the camera's attitude against the car


class _Stage(NamedTuple):
    scene: Scene
    world: World
    drive: Drive


@dataclasses.dataclass(frozen=True)
class DriveFrames:
    """Frames of several drives, each on a track of its own; a pure function of the settings.

    Attributes:
        vehicle: the car by its calibration.
        domain: what the drives are like, and where the sensors really are.
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
        """A frame by its place in the sequence of drives."""
        drive, place = divmod(index, self.frames_per_drive)
        seed, stage = self.first_seed + drive, self._stage(drive)
        state = stage.drive.state(place * INTERVAL)
        rng = np.random.default_rng((seed, place, 0xD21F))
        jitter = rng.normal(0.0, VIBRATION, 3)
        world = dataclasses.replace(
            stage.world,
            vehicle_pitch=state.pitch,
            vehicle_roll=state.roll,
            camera_jitter=(float(jitter[0]), float(jitter[1]), float(jitter[2])),
        )
        real, believed = (
            Setting(stage.scene, state.pose, world, vehicle_canvas(car, self.size), car.lidar)
            for car in (self.domain.moved(self.vehicle), self.vehicle)
        )
        return frame_of(real, believed, seed * 1_000 + place, self.size)

    def cones_of_map(self, index: int, positions: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
        """Which cones points ``(N, 2)`` of the truth of a frame are: drive and row of its map."""
        drive, place = divmod(index, self.frames_per_drive)
        stage = self._stage(drive)
        x, y, yaw = stage.drive.state(place * INTERVAL).pose
        mounting = self.vehicle.lidar.mounting
        in_base = to_parent(positions.astype(np.float64), mounting.x, mounting.y, mounting.yaw)
        in_map = to_parent(in_base, x, y, yaw)
        gaps = np.linalg.norm(in_map[:, None] - stage.scene.cone_positions[None], axis=2)
        return [(drive, int(row)) for row in gaps.argmin(axis=1)]

    def _stage(self, drive: int) -> _Stage:
        world, spacing = self.domain.world, self.vehicle.cone_spacing_scale
        return _stage(self.first_seed + drive, world, spacing)


@lru_cache(maxsize=16)
def _stage(seed: int, world: World, spacing: float) -> _Stage:
    track = random_track(seed).scaled(spacing)
    world = world.jittered(np.random.default_rng((seed, 0xD0A1)))
    return _Stage(track_scene(track, world, seed), world, Drive(track, DriveConfig(), seed))
