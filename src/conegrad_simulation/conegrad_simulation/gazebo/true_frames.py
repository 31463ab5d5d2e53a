"""True cones around the car at the stamps of its sensors, from the poses of the Gazebo world."""

import dataclasses
import math
from collections import deque

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.cones import TrueCones
from conegrad_core.geometry.odometry import OdometryBuffer, Pose2
from conegrad_core.vehicle import Mounting, Vehicle
from conegrad_simulation.gazebo.camera_view import CameraView
from conegrad_simulation.gazebo.car import chosen_lidar
from conegrad_simulation.gazebo.lidar_view import lidar_view
from conegrad_simulation.planar import Pose, in_sensor
from conegrad_simulation.recording.sensor_messages import TRUTH_RANGE
from conegrad_simulation.scene.scene import Scene

POSES = 400  # held for interpolation: 4 s at 100 Hz
MOVED = 0.01  # [m] and [rad], smaller motions of a cone are noise of the solver


class TrueFrames:
    """Collects poses of the car and of cones, and gives the truth at requested stamps.

    Args:
        scene: cones at the start, obstacles and walls.
        vehicle: camera and mountings.
        lidar: ``planar`` or ``cloud``.

    Raises:
        ValueError: if the vehicle has no such LiDAR.
    """

    def __init__(self, scene: Scene, vehicle: Vehicle, lidar: str = "planar") -> None:
        preset = chosen_lidar(vehicle, lidar)
        self.scene = scene
        self.mounting: Mounting = preset.mounting
        self._views = {"camera": CameraView(vehicle.camera), "lidar": lidar_view(preset)}
        self._visible: dict[str, npt.NDArray[np.int64]] = {}
        self._poses = OdometryBuffer(POSES)
        self._requests: deque[tuple[int, str]] = deque(maxlen=POSES)

    def add_pose(self, stamp_ns: int, pose: Pose2) -> None:
        """Add a pose of ``base_link`` in the map [m, rad]; an earlier stamp [ns] is a reset."""
        newest = self._poses.newest_ns
        if newest is not None and stamp_ns < newest:
            self._poses.clear()
            self._requests.clear()
            self._visible.clear()
        elif stamp_ns == newest:
            return
        self._poses.add(stamp_ns, pose)

    def move_cone(self, row: int, position: tuple[float, float], rotation: Tensor) -> None:
        """Set the pose of a cone.

        Args:
            row: of the scene.
            position: of its foot in the map [m].
            rotation: ``(3, 3)``, map from cone.

        Raises:
            IndexError: if the scene has no cone in this row.
        """
        if row >= len(self.scene.cone_positions):
            count = len(self.scene.cone_positions)
            raise IndexError(f"cone {row} moved, expected one of the {count} cones of the scene")
        axis = rotation[:, 2].tolist()
        angle, flat = math.acos(max(-1.0, min(1.0, axis[2]))), math.hypot(axis[0], axis[1])
        lean = [angle * part / max(flat, 1e-9) for part in axis[:2]]
        moved = np.abs(self.scene.cone_positions[row] - position).max()
        turned = abs(float(np.hypot(*self.scene.cone_leans[row])) - angle)
        # A standing cone has a small lean in the scene and none in Gazebo.
        if moved < MOVED and turned < max(MOVED, 0.2):
            return
        positions, leans = self.scene.cone_positions.copy(), self.scene.cone_leans.copy()
        positions[row], leans[row] = position, lean
        self.scene = dataclasses.replace(self.scene, cone_positions=positions, cone_leans=leans)

    def request(self, stamp_ns: int, sensor: str) -> None:
        """Request the truth at the stamp [ns] of a message of a sensor, ``camera`` or ``lidar``.

        Raises:
            ValueError: if there is no such sensor.
        """
        if sensor not in self._views:
            raise ValueError(f"sensor is {sensor!r}, expected one of {', '.join(self._views)}")
        self._requests.append((stamp_ns, sensor))

    def take_ready(self) -> list[tuple[int, TrueCones]]:
        """Stamps [ns] and true cones in the LiDAR frame of the requests that have a pose by now.

        The visibility for a sensor is computed at its own stamps and kept until its next stamp.
        Requests before the first pose, or before requests of both sensors, give no truth.
        """
        newest = self._poses.newest_ns
        if newest is None:
            return []
        ready = sorted(requested for requested in self._requests if requested[0] <= newest)
        self._requests = deque((a for a in self._requests if a[0] > newest), maxlen=POSES)
        poses = [(stamp, sensor, self._poses.at(stamp)) for stamp, sensor in ready]
        truths = [(s, self._truth(sensor, Pose(*p))) for s, sensor, p in poses if p is not None]
        return [(stamp, truth) for stamp, truth in truths if truth is not None]

    def _truth(self, sensor: str, pose: Pose) -> TrueCones | None:
        self._visible[sensor] = self._views[sensor].visible_cones(self.scene, pose)
        if len(self._visible) < len(self._views):
            return None
        positions = in_sensor(self.scene.cone_positions, pose, self.mounting)
        near = np.flatnonzero(np.linalg.norm(positions, axis=1) < TRUTH_RANGE)
        return TrueCones(
            positions=torch.from_numpy(positions[near]),
            classes=torch.from_numpy(self.scene.cone_classes[near]),
            visible_camera=torch.from_numpy(np.isin(near, self._visible["camera"])),
            visible_lidar=torch.from_numpy(np.isin(near, self._visible["lidar"])),
        )
