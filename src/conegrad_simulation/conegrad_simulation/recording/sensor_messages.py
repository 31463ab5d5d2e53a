"""Messages of the simulated sensors, the same in a bag and on live topics."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags import messages as bag_messages
from conegrad_data.calibration.static_frames import sensor_transforms
from conegrad_data.importing.folder_import import camera_info
from conegrad_simulation.lidar.clouds.cloud_caster import CastCloud
from conegrad_simulation.lidar.planar_lidar import CastScan
from conegrad_simulation.planar import Pose, in_sensor
from conegrad_simulation.recording.drive import CarState
from conegrad_simulation.recording.drive_render import Picture
from conegrad_simulation.scene.scene import Scene

START_NS = 1_700_000_000 * bag_messages.NANOSECONDS  # stamp of the start of every simulated drive
TRUTH_RANGE = 30.0  # [m]

IMAGE = ("/image_raw", "sensor_msgs/msg/Image")
COMPRESSED_IMAGE = ("/image_raw/compressed", "sensor_msgs/msg/CompressedImage")
CAMERA_INFO = ("/camera_info", "sensor_msgs/msg/CameraInfo")
SCAN = ("/scan", "sensor_msgs/msg/LaserScan")
POINTS = ("/points", "sensor_msgs/msg/PointCloud2")
ODOMETRY = ("/odom", "nav_msgs/msg/Odometry")
TRUTH = ("/truth", "conegrad_msgs/msg/TruthCones")
STATIC_TRANSFORMS = ("/tf_static", "tf2_msgs/msg/TFMessage")


class TopicMessage(NamedTuple):
    """A message and its topic.

    Attributes:
        topic: absolute name, as in a bag.
        msgtype: such as ``sensor_msgs/msg/Image``.
        msg: message object of rosbags.
    """

    topic: str
    msgtype: str
    msg: Any


class VisibleCones(NamedTuple):
    """Rows of the cones in the newest message of each sensor; None before it."""

    camera: npt.NDArray[np.int64] | None = None
    lidar: npt.NDArray[np.int64] | None = None


def stamp_of(time: float) -> int:
    """Stamp [ns] of a time of the drive [s]."""
    return START_NS + round(time * bag_messages.NANOSECONDS)


def static_transforms(vehicle: Vehicle) -> TopicMessage:
    """Static transforms of the sensor mountings, at the start."""
    return TopicMessage(
        *STATIC_TRANSFORMS, bag_messages.transforms_msg(START_NS, sensor_transforms(vehicle))
    )


def image_messages(stamp: int, vehicle: Vehicle, picture: Picture) -> list[TopicMessage]:
    """Camera info and image, compressed if the picture is, with a stamp [ns]."""
    info = TopicMessage(*CAMERA_INFO, camera_info(stamp, vehicle))
    if isinstance(picture.data, bytes):
        msg = bag_messages.compressed_image_msg(stamp, "camera_optical", picture.data, "jpeg")
        return [info, TopicMessage(*COMPRESSED_IMAGE, msg)]
    return [
        info,
        TopicMessage(*IMAGE, bag_messages.image_msg(stamp, "camera_optical", picture.data)),
    ]


def scan_message(stamp: int, vehicle: Vehicle, scan: CastScan) -> TopicMessage:
    """A planar scan with a stamp [ns]."""
    lidar = vehicle.lidar
    msg = bag_messages.scan_msg(
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
    return TopicMessage(*SCAN, msg)


def cloud_message(stamp: int, cloud: CastCloud) -> TopicMessage:
    """A cloud with ring and time of each point, and a stamp [ns]."""
    points = np.column_stack([cloud.points, cloud.intensities])
    msg = bag_messages.points_msg(stamp, "lidar", points, cloud.rings, cloud.times)
    return TopicMessage(*POINTS, msg)


def odometry_message(stamp: int, pose: tuple[float, float, float], state: CarState) -> TopicMessage:
    """Odometry of a pose x, y [m], yaw [rad], with the true speeds and a stamp [ns]."""
    msg = bag_messages.odometry_msg(stamp, pose, speed=state.speed, yaw_rate=state.yaw_rate)
    return TopicMessage(*ODOMETRY, msg)


def truth_message(
    stamp: int, scene: Scene, vehicle: Vehicle, pose: Pose, visible: VisibleCones
) -> TopicMessage:
    """True cones within :data:`TRUTH_RANGE`, in the frame of the LiDAR of a level car.

    Args:
        stamp: of the message [ns].
        scene: cones in the map.
        vehicle: mounting of the LiDAR.
        pose: of ``base_link`` in the map.
        visible: rows of the visible cones of each sensor.
    """
    positions = in_sensor(scene.cone_positions, pose, vehicle.lidar.mounting)
    near = np.flatnonzero(np.linalg.norm(positions, axis=1) < TRUTH_RANGE)
    truth = TrueCones(
        positions=torch.from_numpy(positions[near]),
        classes=torch.from_numpy(scene.cone_classes[near]),
        visible_camera=torch.from_numpy(_contains(visible.camera, near)),
        visible_lidar=torch.from_numpy(_contains(visible.lidar, near)),
    )
    return TopicMessage(
        *TRUTH, bag_messages.truth_msg(stamp, "lidar", truth, -vehicle.lidar_height)
    )


def _contains(rows: npt.NDArray[np.int64] | None, wanted: npt.NDArray[np.int64]) -> Any:
    if rows is None:
        return np.zeros(len(wanted), dtype=bool)
    return np.isin(wanted, rows)
