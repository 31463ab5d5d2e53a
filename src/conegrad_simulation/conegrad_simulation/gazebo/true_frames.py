"""The true cones around the car at the stamps of its sensors, from the poses of the world."""

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
MOVED = 0.01  # [m] and [rad], smaller motions of a cone are the solver's


class TrueFrames:
    """Collects poses of the car and of cones, and answers for the stamps that are asked for.

    Args:
        scene: cones at the start, and what hides them.
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
        self._seen: dict[str, npt.NDArray[np.int64]] = {}
        self._poses = OdometryBuffer(POSES)
        self._asked: deque[tuple[int, str]] = deque(maxlen=POSES)

    def add_pose(self, stamp_ns: int, pose: Pose2) -> None:
        """Add a pose of ``base_link`` in the map; an earlier stamp means that time was reset."""
        newest = self._poses.newest_ns
        if newest is not None and stamp_ns < newest:
            self._poses.clear()
            self._asked.clear()
            self._seen.clear()
        elif stamp_ns == newest:
            return
        self._poses.add(stamp_ns, pose)

    def move_cone(self, row: int, position: tuple[float, float], rotation: Tensor) -> None:
        """Note where a cone is now.

        Args:
            row: of the scene.
            position: of its foot in the map [m].
            rotation: ``(3, 3)``, map from cone.

        Raises:
            IndexError: if the scene has no such cone.
        """
        if row >= len(self.scene.cone_positions):
            count = len(self.scene.cone_positions)
            raise IndexError(f"cone {row} moved, expected one of the {count} cones of the scene")
        axis = rotation[:, 2].tolist()
        angle, flat = math.acos(max(-1.0, min(1.0, axis[2]))), math.hypot(axis[0], axis[1])
        lean = [angle * part / max(flat, 1e-9) for part in axis[:2]]
        moved = np.abs(self.scene.cone_positions[row] - position).max()
        turned = abs(float(np.hypot(*self.scene.cone_leans[row])) - angle)
        # A standing cone of the scene leans a little; in Gazebo it stands upright.
        if moved < MOVED and turned < max(MOVED, 0.2):
            return
        positions, leans = self.scene.cone_positions.copy(), self.scene.cone_leans.copy()
        positions[row], leans[row] = position, lean
        self.scene = dataclasses.replace(self.scene, cone_positions=positions, cone_leans=leans)

    def ask(self, stamp_ns: int, sensor: str) -> None:
        """Ask for the truth at the stamp of a message of a sensor, ``camera`` or ``lidar``.

        Raises:
            ValueError: if there is no such sensor.
        """
        if sensor not in self._views:
            raise ValueError(f"sensor is {sensor!r}, expected one of {', '.join(self._views)}")
        self._asked.append((stamp_ns, sensor))

    def take(self) -> list[tuple[int, TrueCones]]:
        """Stamps and true cones, in the frame of the LiDAR, that can be told by now.

        What a sensor sees is worked out at its own stamps and kept until its next. There is no
        answer for a stamp before the first pose, nor before both sensors were asked about.
        """
        newest = self._poses.newest_ns
        if newest is None:
            return []
        ready = sorted(asked for asked in self._asked if asked[0] <= newest)
        self._asked = deque((a for a in self._asked if a[0] > newest), maxlen=POSES)
        poses = [(stamp, sensor, self._poses.at(stamp)) for stamp, sensor in ready]
        answers = [(s, self._answer(sensor, Pose(*p))) for s, sensor, p in poses if p is not None]
        return [(stamp, truth) for stamp, truth in answers if truth is not None]

    def _answer(self, sensor: str, pose: Pose) -> TrueCones | None:
        self._seen[sensor] = self._views[sensor].seen(self.scene, pose)
        if len(self._seen) < len(self._views):
            return None
        positions = in_sensor(self.scene.cone_positions, pose, self.mounting)
        near = np.flatnonzero(np.linalg.norm(positions, axis=1) < TRUTH_RANGE)
        return TrueCones(
            positions=torch.from_numpy(positions[near]),
            classes=torch.from_numpy(self.scene.cone_classes[near]),
            visible_camera=torch.from_numpy(np.isin(near, self._seen["camera"])),
            visible_lidar=torch.from_numpy(np.isin(near, self._seen["lidar"])),
        )
