"""Domain-randomised clouds of 3-D LiDARs with exact labels: frames of drives past random places."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_core.vehicle import Mounting
from conegrad_simulation.lidar.clouds.beam_grid import SensorMotion, rotated, tilt_matrix
from conegrad_simulation.lidar.clouds.cloud_caster import (
    NO_CONE,
    CastCloud,
    CloudScene,
    CloudSensor,
    cast_cloud,
)
from conegrad_simulation.lidar.clouds.cloud_surroundings import random_place
from conegrad_simulation.lidar.clouds.own_car_solids import OwnCar, car_body, random_own_car
from conegrad_simulation.lidar.clouds.patterns import LidarPattern, random_pattern
from conegrad_simulation.lidar.clouds.solid_surroundings import Place
from conegrad_simulation.lidar.clouds.solids import Solids
from conegrad_simulation.lidar.clouds.terrain import Terrain, random_terrain
from conegrad_simulation.lidar.lidar_noise import LidarNoise
from conegrad_simulation.lidar.scan_sampler import SCANS_PER_PLACE
from conegrad_simulation.planar import Bools, Floats, Ints, Pose, to_parent


class CloudFrame(NamedTuple):
    """One frame of a LiDAR on a car, and the cones around it.

    Attributes:
        cloud: the returns.
        cone_positions: ``(M, 3)`` of the middle of the base of each cone of the place, in the frame
            of the LiDAR at the stamp [m].
        cone_heights: ``(M,)`` [m].
        cone_classes: ``(M,)`` 3 for a big orange cone, 0 for a small one.
        ground_normal: ``(3,)`` unit vector up, in the frame of the LiDAR.
        sensor_height: of the LiDAR above the ground below it [m].
        pose: of ``base_link`` in the map of the place.
    """

    cloud: CastCloud
    cone_positions: Floats
    cone_heights: Floats
    cone_classes: Ints
    ground_normal: Floats
    sensor_height: float
    pose: Pose


class CloudDrive(NamedTuple):
    """Frames of one LiDAR on one car.

    Attributes:
        pattern: of the LiDAR.
        mounting: of the LiDAR on the car.
        frames: while the car moves past the place.
    """

    pattern: LidarPattern
    mounting: Mounting
    frames: list[CloudFrame]


def sample_drive(
    seed: int, frames: int = SCANS_PER_PLACE, pattern: LidarPattern | None = None
) -> CloudDrive:
    """Frames of a random LiDAR on a random car at a random place; a pure function of its arguments.

    Args:
        seed: of every draw.
        frames: number of frames, up to a few metres from each other.
        pattern: of the LiDAR; drawn where None.
    """
    rng = np.random.default_rng((seed, 0x3D))
    pattern = random_pattern(rng) if pattern is None else pattern
    terrain = random_terrain(rng)
    place = random_place(rng, terrain)
    car_seed = int(rng.integers(1 << 30))
    sensor = CloudSensor(
        pattern, random_cloud_noise(rng, pattern), bool(rng.random() < 0.7), _random_hidden(rng)
    )
    speed = rng.choice([0.0, 1.0], p=[0.2, 0.8]) * rng.uniform(0, 15)
    made = []
    for index in range(frames):
        car = random_own_car(np.random.default_rng(car_seed), steering=rng.normal(0, 0.12))
        pose = Pose(*(rng.normal(0, (2.0, 0.6, 0.12)) * (index > 0)).tolist())
        motion = _motion(rng, car, pose, terrain, speed)
        scene = CloudScene(_clear_of_car(place, car, pose), terrain, car_body(car))
        cloud = cast_cloud(sensor, motion, scene, rng)
        made.append(_frame(cloud, place, scene, motion, pose))
    return CloudDrive(pattern, car.mounting, made)


def random_cloud_noise(rng: np.random.Generator, pattern: LidarPattern) -> LidarNoise:
    """Noise of a LiDAR in random weather; 15 % of the draws are rain."""

    def log_uniform(low: float, high: float) -> float:
        return math.exp(rng.uniform(math.log(low), math.log(high)))

    is_rain = rng.random() < 0.15
    return LidarNoise(
        range_std=pattern.range_std * log_uniform(0.5, 1.8),
        range_std_per_m=log_uniform(0.0001, 0.001),
        dropout=log_uniform(0.001, 0.1) + is_rain * rng.uniform(0, 0.2),
        fading=log_uniform(40, 300) * (0.5 if is_rain else 1.0),
        cone_fading=log_uniform(15, 150),
        edge_dropout=rng.uniform(0, 0.9),
        ground_sine=log_uniform(0.003, 0.05) * (3.0 if is_rain else 1.0),
        ground_roughness=log_uniform(0.0003, 0.002),
        mixed=rng.uniform(0, 0.5),
        specks=log_uniform(20, 600) / pattern.sweeps if is_rain else log_uniform(0.05, 8),
        max_range=min(pattern.range_max, float(rng.choice([40.0, 80.0, 120.0]))),
    )


def _random_hidden(rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    """Parts of the view that the driver or the mounting masks out: the rear, in 30 % of draws."""
    if rng.random() > 0.3:
        return ()
    low, high = rng.uniform(0.5 * math.pi, math.pi, 2)
    return ((-math.pi - 1, -float(low)), (float(high), math.pi + 1))


def _motion(
    rng: np.random.Generator, car: OwnCar, pose: Pose, terrain: Terrain, speed: float
) -> SensorMotion:
    mounting = car.mounting
    lever = np.array([[mounting.x, mounting.y]])
    (x, y), yaw = to_parent(lever, *pose)[0], pose.yaw
    yaw_rate = float(rng.normal(0, 0.25)) if speed > 0 else 0.0
    ahead, left = speed - yaw_rate * mounting.y, yaw_rate * mounting.x
    cos, sin = math.cos(mounting.yaw), math.sin(mounting.yaw)
    attitude = rng.normal(0, 0.008, 2)
    slope_x, slope_y = _slopes(terrain, pose)
    roll = mounting.roll + attitude[0] + slope_y
    pitch = mounting.pitch + attitude[1] - slope_x
    ground = float(terrain.heights(np.array(pose.x), np.array(pose.y)))
    return SensorMotion(
        x=float(x),
        y=float(y),
        yaw=yaw + mounting.yaw,
        height=ground + mounting.z + slope_x * mounting.x,
        tilt=tilt_matrix(roll, pitch),
        velocity=(cos * ahead + sin * left, cos * left - sin * ahead),
        yaw_rate=yaw_rate,
    )


def _slopes(terrain: Terrain, pose: Pose) -> tuple[float, float]:
    """Rise of the ground under the car, ahead and to the left [m/m]."""
    spots = to_parent(np.array([[0.8, 0.0], [-0.8, 0.0], [0.0, 0.6], [0.0, -0.6]]), *pose)
    front, rear, left, right = terrain.heights(spots[:, 0], spots[:, 1]).tolist()
    return (front - rear) / 1.6, (left - right) / 1.2


def _clear_of_car(place: Place, car: OwnCar, pose: Pose) -> Solids:
    """Solids of the place, without those that the car stands on."""
    solids = place.solids
    half = solids.boxes[:, 2:3] * np.linspace(-1, 1, 9)
    along = np.stack([np.cos(solids.boxes[:, 4]), np.sin(solids.boxes[:, 4])], axis=1)
    spots = solids.boxes[:, None, :2] + half[..., None] * along[:, None]
    boxes = _under_car(spots.reshape(-1, 2), car, pose).reshape(-1, 9).any(axis=1)
    tubes = _under_car(solids.tubes[:, :2], car, pose)
    under = np.concatenate([tubes, boxes])
    gone = np.unique(solids.cone_rows[under & (solids.cone_rows >= 0)])
    return solids.chosen(~under & ~np.isin(solids.cone_rows, gone))


def _under_car(spots: Floats, car: OwnCar, pose: Pose) -> Bools:
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    x, y = spots[:, 0] - pose.x, spots[:, 1] - pose.y
    ahead, left = cos * x + sin * y, cos * y - sin * x
    low, high, half = car.footprint
    return np.asarray((ahead > low) & (ahead < high) & (np.abs(left) < half))


def _frame(
    cloud: CastCloud, place: Place, scene: CloudScene, motion: SensorMotion, pose: Pose
) -> CloudFrame:
    cone_rows = scene.solids.cone_rows
    present = np.unique(cone_rows[cone_rows >= 0])
    renamed = np.full(len(place.cone_positions) + 1, NO_CONE)  # the last row is that of no cone
    renamed[present] = np.arange(len(present))
    origin, yaws = motion.poses(np.zeros(1))
    map_from_lidar = rotated(motion.tilt.T, yaws).T
    below = float(scene.terrain.heights(origin[0, 0], origin[0, 1]))
    return CloudFrame(
        cloud._replace(cones=renamed[cloud.cones].astype(np.int32)),
        (place.cone_positions[present] - origin) @ map_from_lidar,
        place.cone_heights[present],
        place.cone_classes[present],
        map_from_lidar[2],
        motion.height - below,
        pose,
    )
