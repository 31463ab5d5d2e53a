"""What the sensors of a simulated car say, as messages: the same in a bag and on live topics."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags import messages
from conegrad_data.calibration.static_frames import sensor_transforms
from conegrad_data.importing.folder_import import camera_info
from conegrad_simulation.lidar.planar_lidar import CastScan
from conegrad_simulation.planar import Pose, in_sensor
from conegrad_simulation.recording.drive import CarState
from conegrad_simulation.recording.drive_render import Picture
from conegrad_simulation.scene.scene import Scene

START_NS = 1_700_000_000 * messages.NANOSECONDS  # stamp of the start of every simulated drive
TRUTH_RANGE = 30.0  # [m]

IMAGE = ("/image_raw", "sensor_msgs/msg/Image")
COMPRESSED_IMAGE = ("/image_raw/compressed", "sensor_msgs/msg/CompressedImage")
CAMERA_INFO = ("/camera_info", "sensor_msgs/msg/CameraInfo")
SCAN = ("/scan", "sensor_msgs/msg/LaserScan")
ODOMETRY = ("/odom", "nav_msgs/msg/Odometry")
TRUTH = ("/truth", "conegrad_msgs/msg/TruthCones")
STATIC_TRANSFORMS = ("/tf_static", "tf2_msgs/msg/TFMessage")


class Entry(NamedTuple):
    """A message and where it goes."""

    topic: str
    msgtype: str
    msg: Any


class Seen(NamedTuple):
    """Rows of the scene's cones that each sensor sees in its newest message; None before it."""

    camera: npt.NDArray[np.int64] | None = None
    lidar: npt.NDArray[np.int64] | None = None


def stamp_of(time: float) -> int:
    """Stamp of a time of the drive [s]."""
    return START_NS + round(time * messages.NANOSECONDS)


def static_transforms(vehicle: Vehicle) -> Entry:
    """The mountings of the sensors."""
    return Entry(*STATIC_TRANSFORMS, messages.transforms_msg(START_NS, sensor_transforms(vehicle)))


def image_entries(stamp: int, vehicle: Vehicle, picture: Picture) -> list[Entry]:
    """Camera info and image; compressed where the picture is."""
    info = Entry(*CAMERA_INFO, camera_info(stamp, vehicle))
    if isinstance(picture.data, bytes):
        msg = messages.compressed_image_msg(stamp, "camera_optical", picture.data, "jpeg")
        return [info, Entry(*COMPRESSED_IMAGE, msg)]
    return [info, Entry(*IMAGE, messages.image_msg(stamp, "camera_optical", picture.data))]


def scan_entry(stamp: int, vehicle: Vehicle, scan: CastScan) -> Entry:
    """A planar scan."""
    lidar = vehicle.lidar
    msg = messages.scan_msg(
        stamp,
        "lidar",
        scan.ranges,
        angle_min=lidar.angle_min,
        angle_increment=lidar.angle_increment,
        range_min=lidar.range_min,
        range_max=lidar.range_max,
        scan_time=1 / lidar.rate,
        duration=lidar.scan_duration,
    )
    return Entry(*SCAN, msg)


def odometry_entry(stamp: int, pose: tuple[float, float, float], state: CarState) -> Entry:
    """Odometry of a pose x, y [m], yaw [rad], with the true speeds."""
    msg = messages.odometry_msg(stamp, pose, speed=state.speed, yaw_rate=state.yaw_rate)
    return Entry(*ODOMETRY, msg)


def truth_entry(stamp: int, scene: Scene, vehicle: Vehicle, pose: Pose, seen: Seen) -> Entry:
    """The true cones around the car, in the frame of the LiDAR."""
    positions = in_sensor(scene.cone_positions, pose, vehicle.lidar.mounting)
    near = np.flatnonzero(np.linalg.norm(positions, axis=1) < TRUTH_RANGE)
    truth = TrueCones(
        positions=torch.from_numpy(positions[near]),
        classes=torch.from_numpy(scene.cone_classes[near]),
        visible_camera=torch.from_numpy(_contains(seen.camera, near)),
        visible_lidar=torch.from_numpy(_contains(seen.lidar, near)),
    )
    return Entry(*TRUTH, messages.truth_msg(stamp, "lidar", truth, -vehicle.lidar_height))


def _contains(rows: npt.NDArray[np.int64] | None, wanted: npt.NDArray[np.int64]) -> Any:
    if rows is None:
        return np.zeros(len(wanted), dtype=bool)
    return np.isin(wanted, rows)
