"""Simulated planar LiDAR: scans of a scene from a pose, with exact labels."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from conegrad_core.vehicle import LidarPreset
from conegrad_simulation.lidar.lidar_noise import LidarNoise, apply_noise
from conegrad_simulation.lidar.ray_casting import Fan, Hits, Targets, cast, targets_from
from conegrad_simulation.lidar.scene_targets import scene_targets
from conegrad_simulation.planar import Bools, Floats, Ints, Pose
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

BLOCK_DURATION = 1e-3  # [s], beams within it are cast from one pose
MAX_TILT = 0.3  # [rad], the horizontal approximation of the beams holds below


class CastScan(NamedTuple):
    """One simulated scan.

    Attributes:
        ranges: ``(B,)`` float32 [m]; NaN where a beam has no return.
        labels: ``(B,)`` bool, the beam hit a cone.
        cones: ``(B,)`` index of the cone in the scene, -1 where none was hit.
    """

    ranges: np.ndarray
    labels: Bools
    cones: Ints

    def visible_cones(self) -> Ints:
        """Sorted rows of the cones that a beam meets."""
        return np.unique(self.cones[self.cones >= 0])


class LidarCaster:
    """Casts the beams of a planar LiDAR mounted on a car.

    Cones are cut at the height at which each beam meets them. The attitude of the car therefore
    changes their apparent width, and whether the plane passes over them or meets the ground.

    Args:
        preset: beams, ranges and mounting.

    Raises:
        ValueError: if the mounting is tilted by more than :data:`MAX_TILT`.
    """

    def __init__(self, preset: LidarPreset) -> None:
        mounting = preset.mounting
        if max(abs(mounting.roll), abs(mounting.pitch)) > MAX_TILT:
            raise ValueError(
                f"the LiDAR's mounting has roll {mounting.roll} and pitch {mounting.pitch}, "
                f"expected at most {MAX_TILT} rad from level"
            )
        self.preset = preset
        self.fan = Fan(preset.angle_min, preset.angle_increment, preset.beams)
        self._scene: Scene | None = None
        self._targets: tuple[Targets, Ints] = no_targets()

    def cast(
        self,
        scene: Scene,
        pose: Pose,
        world: World,
        seed: int,
        pose_at: Callable[[float], Pose] | None = None,
    ) -> CastScan:
        """Scan a scene; a pure function of its arguments.

        Args:
            scene: cones, obstacles and walls in the map frame.
            pose: of ``base_link`` in the map.
            world: attitude of the car, noise and dropouts.
            seed: of the noise.
            pose_at: pose at a time after that of ``pose`` [s]: each beam of a preset with a
                ``scan_duration`` is cast at its own time; None casts all from ``pose``.
        """
        if scene is not self._scene:
            self._scene, self._targets = scene, scene_targets(scene)
        targets, cone_rows = self._targets
        rng = np.random.default_rng(seed)
        height, slopes = self._height(world), self._slopes(world)
        if pose_at is None or self.preset.scan_duration == 0.0:
            in_sensor = targets_from(self._sensor_pose(pose), targets)
            hits = cast(in_sensor, self.fan, height, slopes, rng)
        else:
            hits = self._rolling(targets, pose_at, height, slopes, rng)
        ranges, labels = apply_noise(hits, targets, height, self._noise(world), rng)
        ranges = ranges * np.sqrt(1.0 + slopes**2)  # from horizontal to along the beam
        ranges[ranges < self.preset.range_min] = np.nan
        labels = labels & np.isfinite(ranges)
        cones = np.full(len(labels), -1)
        cones[labels] = cone_rows[hits.target_rows[labels]]
        return CastScan(ranges.astype(np.float32), labels, cones)

    def _rolling(
        self,
        targets: Targets,
        pose_at: Callable[[float], Pose],
        height: float,
        slopes: Floats,
        rng: np.random.Generator,
    ) -> Hits:
        """Hits of blocks of beams, each cast from the pose of the LiDAR at its time."""
        fan, duration = self.fan, self.preset.scan_duration
        count = min(fan.beams, max(1, math.ceil(duration / BLOCK_DURATION)))
        parts = []
        for block in np.array_split(np.arange(fan.beams), count):
            time = duration * float(block.mean()) / (fan.beams - 1)
            in_sensor = targets_from(self._sensor_pose(pose_at(time)), targets)
            first = fan.angle_min + fan.step * int(block[0])
            parts.append(
                cast(in_sensor, Fan(first, fan.step, len(block)), height, slopes[block], rng)
            )
        return Hits(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _sensor_pose(self, pose: Pose) -> Pose:
        mounting = self.preset.mounting
        cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
        return Pose(
            pose.x + cos * mounting.x - sin * mounting.y,
            pose.y + sin * mounting.x + cos * mounting.y,
            pose.yaw + mounting.yaw,
        )

    def _height(self, world: World) -> float:
        mounting = self.preset.mounting
        nose, side = math.tan(world.vehicle_pitch), math.tan(world.vehicle_roll)
        return max(mounting.z - mounting.x * nose + mounting.y * side, 0.01)

    def _slopes(self, world: World) -> Floats:
        mounting, angles = self.preset.mounting, self.fan.angles()
        car = angles + mounting.yaw
        slopes: Floats = math.tan(world.vehicle_roll) * np.sin(car)
        slopes = slopes - math.tan(world.vehicle_pitch) * np.cos(car)
        return (
            slopes
            + math.tan(mounting.roll) * np.sin(angles)
            - math.tan(mounting.pitch) * np.cos(angles)
        )

    def _noise(self, world: World) -> LidarNoise:
        return LidarNoise(
            range_std=world.range_noise,
            dropout=world.range_dropout,
            mixed=world.range_mixed,
            specks=world.lidar_specks,
            max_range=self.preset.range_max,
        )


def no_targets() -> tuple[Targets, Ints]:
    """Targets of an empty scene, and no rows of cones."""
    nothing = np.zeros(0)
    targets = Targets(np.zeros((0, 7)), np.zeros((0, 5)), nothing > 0, nothing, nothing)
    return targets, np.zeros(0, dtype=np.int64)
