"""Visible cones of a LiDAR: those that a beam without noise meets first."""

import math

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import CloudLidarPreset, LidarPreset
from conegrad_simulation.lidar.planar_lidar import LidarCaster
from conegrad_simulation.lidar.ray_casting import Fan, cast, targets_from
from conegrad_simulation.lidar.scene_targets import scene_targets
from conegrad_simulation.planar import Pose
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

NOISE_FREE = World(range_noise=0.0, range_dropout=0.0, range_mixed=0.0, lidar_specks=0.0)
SEED = 0  # of the draw which beams pass through fences

Rows = npt.NDArray[np.int64]


class PlanarView:
    """The plane of a planar LiDAR on a level car."""

    def __init__(self, preset: LidarPreset) -> None:
        self._caster = LidarCaster(preset)

    def visible_cones(self, scene: Scene, pose: Pose) -> Rows:
        """Rows of the cones that a beam meets."""
        cones = self._caster.cast(scene, pose, NOISE_FREE, SEED).cones
        return np.unique(cones[cones >= 0])


class CloudView:
    """Every ring of a 3-D LiDAR on a level car."""

    def __init__(self, preset: CloudLidarPreset) -> None:
        self._preset = preset
        self._fan = Fan(-math.pi, 2 * math.pi / preset.columns, preset.columns)
        self._elevations = np.linspace(preset.elevation_min, preset.elevation_max, preset.rings)

    def visible_cones(self, scene: Scene, pose: Pose) -> Rows:
        """Rows of the cones that a beam of any ring meets."""
        targets, cone_rows = scene_targets(scene)
        targets = targets_from(self._sensor_pose(pose), targets)
        found = []
        for elevation in self._elevations:
            slopes = np.full(self._fan.beams, math.tan(elevation))
            rng = np.random.default_rng(SEED)
            hits = cast(targets, self._fan, self._preset.mounting.z, slopes, rng)
            ranges = hits.ranges / math.cos(elevation)
            is_return = (hits.target_rows >= 0) & (ranges < self._preset.range_max)
            found.append(cone_rows[hits.target_rows[is_return & (ranges > self._preset.range_min)]])
        cones = np.concatenate(found)
        return np.unique(cones[cones >= 0])

    def _sensor_pose(self, pose: Pose) -> Pose:
        mounting, cos, sin = self._preset.mounting, math.cos(pose.yaw), math.sin(pose.yaw)
        x = pose.x + cos * mounting.x - sin * mounting.y
        return Pose(x, pose.y + sin * mounting.x + cos * mounting.y, pose.yaw + mounting.yaw)


def lidar_view(preset: LidarPreset | CloudLidarPreset) -> PlanarView | CloudView:
    """The view of a LiDAR of either kind."""
    return PlanarView(preset) if isinstance(preset, LidarPreset) else CloudView(preset)
