"""Driver: keeps cones in memory, finds the lane, follows it, and reports the cause of a stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from conegrad_core.cones import Cones
from conegrad_core.consistency.reason import Reason
from conegrad_core.geometry.odometry import MAX_SPEED, OdometryBuffer, Pose2, relative_pose
from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle
from conegrad_simulation.driver.centre_line import CentreLine, centre_line
from conegrad_simulation.driver.cone_memory import ConeMemory, MemoryConfig
from conegrad_simulation.driver.distrust import Distrust
from conegrad_simulation.driver.lane_search import SearchConfig
from conegrad_simulation.driver.perceived_cones import perceived_cones
from conegrad_simulation.driver.pursuit import PursuitConfig, allowed_speeds, pursue
from conegrad_simulation.planar import Floats, to_parent

NANOSECONDS = 1_000_000_000
ODOMETRY_POSES = 500  # held for interpolation: 5 s at 100 Hz
DRIVING = "driving"


@dataclass(frozen=True)
class DriverConfig(Config):
    """When the driver slows down and when it stops."""

    scale: float = setting(
        0.0, "Size of the track relative to full size; 0 is the vehicle's", low=0.0, high=10.0
    )
    cone_timeout: float = setting(
        0.25, "The car stops when the newest cones are older than this [s]", low=0.01, high=10.0
    )
    odometry_timeout: float = setting(
        0.25, "The car stops when the newest odometry is older than this [s]", low=0.01, high=10.0
    )
    shortest_line: float = setting(
        2.5, "The car stops when less of the lane is known, at full size [m]", low=0.1, high=20.0
    )
    degraded_speed: float = setting(
        0.7, "Share of the speed while the cones are degraded", low=0.0, high=1.0
    )
    degraded_time: float = setting(
        5.0, "The car stops when one sensor is lost or blind for longer than this [s]", low=0.0
    )
    distrust_time: float = setting(
        0.2, "The car stops when the cones contradict for longer than this [s]", low=0.0, high=10.0
    )


class DriverSettings(NamedTuple):
    """All settings of the driver."""

    driver: DriverConfig = DriverConfig()
    memory: MemoryConfig = MemoryConfig()
    search: SearchConfig = SearchConfig()
    pursuit: PursuitConfig = PursuitConfig()


class Decision(NamedTuple):
    """Command to the car.

    Attributes:
        speed: along its heading [m/s]; 0 stops it.
        curvature: of its path, left turns positive [1/m].
        cause: of a stop, short and constant; :data:`DRIVING` while the car drives.
        text: cause with values, for diagnostics.
    """

    speed: float
    curvature: float
    cause: str
    text: str


class Driver:
    """Follows the lane between cones. Times are stamps [ns], independent of the wall clock.

    Args:
        vehicle: place of the LiDAR on the car, and the scale of its tracks.
        settings: of its parts.
    """

    def __init__(self, vehicle: Vehicle, settings: DriverSettings | None = None) -> None:
        self._settings = settings or DriverSettings()
        self._config = self._settings.driver
        self._lidar = vehicle.lidar.mounting
        self._scale = self._config.scale or vehicle.cone_spacing_scale
        self.clear()

    def clear(self) -> None:
        """Begin a new run."""
        self._memory = ConeMemory(self._settings.memory)
        self._odometry = OdometryBuffer(ODOMETRY_POSES, MAX_SPEED / self._scale)
        self._speed = 0.0
        self._pose: Pose2 | None = None
        self._line = CentreLine(np.zeros((0, 2)), (0, 0))
        self._line_pose: Pose2 | None = None
        self._message_ns: int | None = None  # stamp of the newest message, with cones or without
        self._cones_ns: int | None = None  # stamp of the newest message with cones
        self._both_ns: int | None = None  # stamp of the newest message of both sensors
        self._lost = ""
        self._reasons: tuple[Reason, ...] = ()  # of the newest message
        self._distrust = Distrust(self._config.distrust_time)

    def add_odometry(self, stamp_ns: int, pose: Pose2, speed: float) -> None:
        """Add an odometry: stamp [ns], pose ``odom_from_base`` [m, rad] and speed [m/s].

        One with an earlier stamp is ignored, or starts a new run if it is over 1 s earlier.
        """
        newest = self._odometry.newest_ns
        if newest is not None and stamp_ns <= newest:
            if newest - stamp_ns < NANOSECONDS:
                return
            self.clear()
        self._pose = Pose2(pose.x / self._scale, pose.y / self._scale, pose.yaw)
        self._speed = speed / self._scale
        self._odometry.add(stamp_ns, self._pose)

    def add_cones(
        self,
        stamp_ns: int,
        cones: Cones,
        *,
        in_base: bool = False,
        has_camera: bool,
        has_lidar: bool,
        reasons: Sequence[Reason] = (),
    ) -> None:
        """Add the cones of a message and search the lane.

        Args:
            stamp_ns: of the message [ns].
            cones: in the frame of the LiDAR, or in ``base_link`` [m].
            in_base: the cones are in ``base_link``, as before the first scan.
            has_camera: the cones were fused with an image.
            has_lidar: the cones were fused with a scan.
            reasons: why the cones are degraded.
        """
        self._message_ns, self._reasons = stamp_ns, tuple(reasons)
        self._distrust.observe(stamp_ns, self._reasons)
        names = {reason.name for reason in reasons}
        self._note_sensors(
            stamp_ns,
            has_camera=has_camera and "camera_misses" not in names,
            has_lidar=has_lidar and "lidar_misses" not in names,
        )
        pose = self._pose_at(stamp_ns)
        if pose is None or not len(cones.positions):
            return
        self._cones_ns = stamp_ns
        perceived = perceived_cones(cones, None if in_base else self._lidar, self._scale)
        self._memory.add(perceived, pose, stamp_ns / NANOSECONDS)
        self._line_pose = self._pose or pose
        known = self._memory.known(self._line_pose)
        self._line = centre_line(known, self._settings.search)

    def decide(self, now_ns: int) -> Decision:
        """Command at a time [ns]: drive along the lane, or stop with a cause."""
        cause, text = self._why_stop(now_ns)
        if cause:
            return Decision(0.0, 0.0, cause, text)
        points = self.line()
        pursuit = self._settings.pursuit
        curvature = pursue(points, self._speed, pursuit)
        speed = self._chosen_speed(points)
        share = self._config.degraded_speed if self._lost or self._reasons else 1.0
        with_ = f", without {self._lost}" if self._lost else ""
        with_ += f", degraded: {'; '.join(map(str, self._reasons))}" if self._reasons else ""
        left, right = self._line.pairs
        text = f"{left} cones left, {right} right, {self._line.length * self._scale:.1f} m{with_}"
        return Decision(share * speed * self._scale, curvature / self._scale, DRIVING, text)

    def line(self) -> Floats:
        """``(M, 2)`` centre line in ``base_link`` of the newest odometry [track units]."""
        if self._pose is None or self._line_pose is None:
            return np.zeros((0, 2))
        return to_parent(self._line.points, *relative_pose(self._pose, self._line_pose))

    def line_in_odometry(self) -> Floats:
        """``(M, 2)`` centre line in the frame of the odometry [m]."""
        if self._line_pose is None:
            return np.zeros((0, 2))
        return self._scale * to_parent(self._line.points, *self._line_pose)

    def _chosen_speed(self, points: Floats) -> float:
        pursuit = self._settings.pursuit
        nearest = int(np.linalg.norm(points, axis=1).argmin())
        speeds = allowed_speeds(points[nearest:], pursuit)
        steps = np.linalg.norm(np.diff(points[nearest:], axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        planned = float(np.interp(pursuit.preview * self._speed, along, speeds))
        return min(planned, self._speed + pursuit.forward_limit * 0.5)

    def _why_stop(self, now_ns: int) -> tuple[str, str]:
        """Cause and text of a stop; empty if the car may drive."""
        config = self._config
        if self._odometry.newest_ns is None:
            return "no odometry", "stopped: no odometry received yet"
        age = (now_ns - self._odometry.newest_ns) / NANOSECONDS
        if age > config.odometry_timeout:
            return "odometry stale", f"stopped: the newest odometry is {age:.2f} s old"
        if self._cones_ns is None:
            text = "no cones received yet" if self._message_ns is None else "no cone seen yet"
            return "no cones yet", f"stopped: {text}"
        age = (now_ns - self._cones_ns) / NANOSECONDS
        if age > config.cone_timeout:
            return self._why_no_cones(now_ns, age)
        if self._both_ns is None or now_ns - self._both_ns > config.degraded_time * NANOSECONDS:
            text = f"stopped: {self._lost or 'a sensor'} lost for over {config.degraded_time:g} s"
            return "perception degraded", text
        if self._distrust.is_too_long:
            return "cones not trusted", f"stopped: {self._distrust.text}"
        if self._line.length < config.shortest_line:
            return "no lane", f"stopped: only {self._line.length * self._scale:.1f} m of lane seen"
        return "", ""

    def _why_no_cones(self, now_ns: int, age: float) -> tuple[str, str]:
        age_of_message = (now_ns - (self._message_ns or 0)) / NANOSECONDS
        if age_of_message > self._config.cone_timeout:
            return "cones stale", f"stopped: the newest cones are {age_of_message:.2f} s old"
        return "cones empty", f"stopped: no cone seen for {age:.2f} s"

    def _note_sensors(self, stamp_ns: int, *, has_camera: bool, has_lidar: bool) -> None:
        if has_camera and has_lidar:
            self._both_ns, self._lost = stamp_ns, ""
            return
        self._both_ns = self._both_ns or stamp_ns
        self._lost = "the LiDAR" if has_camera else "the camera"
        if not has_camera and not has_lidar:
            self._lost = "either sensor"

    def _pose_at(self, stamp_ns: int) -> Pose2 | None:
        """Pose at a stamp; at one after the newest odometry, the newest pose."""
        newest = self._odometry.newest_ns
        if newest is not None and stamp_ns > newest:
            return self._ahead((stamp_ns - newest) / NANOSECONDS)
        return self._odometry.at(stamp_ns)

    def _ahead(self, seconds: float) -> Pose2 | None:
        if self._pose is None or seconds > self._config.odometry_timeout:
            return None
        x, y, yaw = self._pose
        distance = self._speed * seconds
        return Pose2(x + np.cos(yaw) * distance, y + np.sin(yaw) * distance, yaw)
