"""Clouds of a 3-D LiDAR on the car of a simulated drive, in place of its planar scans."""

import dataclasses

import numpy as np

from conegrad_core.vehicle import Mounting, Vehicle
from conegrad_simulation.lidar.clouds.beam_grid import SensorMotion, tilt_matrix
from conegrad_simulation.lidar.clouds.cloud_caster import (
    CastCloud,
    CloudScene,
    CloudSensor,
    cast_cloud,
)
from conegrad_simulation.lidar.clouds.own_car_solids import car_body, random_own_car
from conegrad_simulation.lidar.clouds.patterns import LidarPattern
from conegrad_simulation.lidar.clouds.scene_solids import scene_solids
from conegrad_simulation.lidar.clouds.terrain import FLAT
from conegrad_simulation.lidar.lidar_noise import LidarNoise
from conegrad_simulation.planar import to_parent
from conegrad_simulation.recording.drive import CarState
from conegrad_simulation.recording.drive_render import DriveSetup

EGO_SEED = 0x0CA2  # of the bodywork, which is the same in every drive of a seed


def with_cloud_lidar(vehicle: Vehicle, pattern: LidarPattern) -> Vehicle:
    """The vehicle with a 3-D LiDAR where its planar one was.

    Raises:
        ValueError: if the vehicle says nothing of a place for it.
    """
    if vehicle.cloud_lidar is None:
        raise ValueError(f"vehicle {vehicle.name} has no section cloud_lidar, expected one")
    lidar = dataclasses.replace(
        vehicle.lidar,
        mounting=vehicle.cloud_lidar.mounting,
        rate=1.0 / pattern.duration,
        range_min=pattern.range_min,
        range_max=pattern.range_max,
        scan_duration=pattern.duration,
    )
    return dataclasses.replace(vehicle, lidar=lidar)


class CloudRecorder:
    """Casts the clouds of a drive, whose vehicle carries the LiDAR of the pattern."""

    def __init__(self, setup: DriveSetup, pattern: LidarPattern) -> None:
        self._setup, self._mounting = setup, setup.vehicle.lidar.mounting
        world = setup.world
        noise = LidarNoise(
            range_std=max(world.range_noise, pattern.range_std),
            dropout=world.range_dropout,
            mixed=world.range_mixed,
            specks=world.lidar_specks,
            max_range=pattern.range_max,
        )
        self._sensor = CloudSensor(pattern, noise)
        car = random_own_car(np.random.default_rng((setup.seed, EGO_SEED)), self._mounting)
        self._scene = CloudScene(scene_solids(setup.scene), FLAT, car_body(car))

    def cast(self, time: float, index: int) -> CastCloud:
        """The cloud that begins at a time of the drive [s]; ``index`` seeds its noise."""
        rng = np.random.default_rng((self._setup.seed, index))
        motion = _motion(self._setup.drive.state(time), self._mounting)
        return cast_cloud(self._sensor, motion, self._scene, rng)


def _motion(state: CarState, mounting: Mounting) -> SensorMotion:
    (x, y), yaw = to_parent(np.array([[mounting.x, mounting.y]]), *state.pose)[0], state.pose.yaw
    ahead, left = state.speed - state.yaw_rate * mounting.y, state.yaw_rate * mounting.x
    cos, sin = np.cos(mounting.yaw), np.sin(mounting.yaw)
    tilt = tilt_matrix(state.roll, state.pitch) @ tilt_matrix(mounting.roll, mounting.pitch)
    return SensorMotion(
        x=float(x),
        y=float(y),
        yaw=yaw + mounting.yaw,
        height=mounting.z - mounting.x * np.sin(state.pitch) + mounting.y * np.sin(state.roll),
        tilt=tilt,
        velocity=(float(cos * ahead + sin * left), float(cos * left - sin * ahead)),
        yaw_rate=state.yaw_rate,
    )
