"""Serialized messages of a small scene, as a live view receives them."""

import numpy as np
import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from conegrad_core.camera.image import Detections
from conegrad_core.cones import Cones
from conegrad_core.geometry.mounting import Ground
from conegrad_data.bags import messages
from conegrad_data.bags.types import default_typestore
from conegrad_nodes.encode.results import cones_to_msg, detections_to_msg, stamp_to_msg

CONES, DETECTIONS = "conegrad_msgs/msg/ConeArray", "conegrad_msgs/msg/ConeDetectionArray"
IMAGE, SCAN, ODOMETRY = (
    "sensor_msgs/msg/Image", "sensor_msgs/msg/LaserScan", "nav_msgs/msg/Odometry",
)  # fmt: skip
STATUSES, LATENCY = "diagnostic_msgs/msg/DiagnosticArray", "std_msgs/msg/Float64"
SECOND = 1_000_000_000


def note_cones(feed, stamp_ns=SECOND, frame="lidar"):
    """A yellow cone 5 m ahead, and a nearer blue one with a known ellipse."""
    covariance = torch.tensor([[[0.04, 0.0], [0.0, 0.01]], [[0.01, 0.0], [0.0, 0.09]]])
    cones = Cones(
        positions=torch.tensor([[5.0, -1.0], [3.0, 1.5]]),
        covariances=covariance,
        colours=torch.tensor([[0.1, 0.9, 0, 0, 0], [0.8, 0.1, 0.1, 0, 0]]),
        existence_logits=torch.tensor([0.0, 20.0]),
        source=torch.tensor([1, 3]),
    )
    header = Header(stamp=stamp_to_msg(stamp_ns), frame_id=frame)
    ground = Ground(z=-0.15, up=1.0)
    msg = cones_to_msg(cones, header, ground, camera_stamp=header.stamp, lidar_stamp=header.stamp)
    feed.note("/cones", CONES, serialize_message(msg))


def note_image(feed, stamp_ns=SECOND, value=40):
    """A grey picture of 320x180."""
    picture = np.full((180, 320, 3), value, dtype=np.uint8)
    _note_made(feed, "/image_raw", IMAGE, messages.image_msg(stamp_ns, "camera", picture))


def note_detections(feed, stamp_ns=SECOND):
    """A blue box, large and sure, and one that is too unlikely to be drawn."""
    found = Detections(
        torch.tensor([[100.0, 60, 180, 160], [200, 60, 220, 90]]),
        torch.tensor([[4.0, -6, -6, -6], [-6, -4, -6, -6]]),
    )
    header = Header(stamp=stamp_to_msg(stamp_ns), frame_id="camera")
    data = serialize_message(detections_to_msg(found, header, 320, 180))
    feed.note("/detections", DETECTIONS, data)


def note_scan(feed, stamp_ns=SECOND, frame="lidar"):
    """Three beams: 4 m to the right, nothing ahead, 2 m to the left."""
    scan = messages.scan_msg(
        stamp_ns, frame, np.array([4.0, np.nan, 2.0]), angle_min=-np.pi / 2,
        angle_increment=np.pi / 2, range_min=0.1, range_max=30.0, scan_time=0.05,
    )  # fmt: skip
    _note_made(feed, "/scan", SCAN, scan)


def note_statuses(feed, **levels):
    """A status of each name with its level; the message repeats the name."""
    statuses = [
        DiagnosticStatus(level=bytes([level]), name=name, message=f"{name} says so")
        for name, level in levels.items()
    ]
    feed.note("/diagnostics", STATUSES, serialize_message(DiagnosticArray(status=statuses)))


def note_latency(feed, seconds, topic="/camera_node/processing_latency"):
    _note_made(feed, topic, LATENCY, messages.make(LATENCY, data=seconds))


def note_odometry(feed, x=3.0):
    _note_made(feed, "/odom", ODOMETRY, messages.odometry_msg(SECOND, (x, 0.0, 0.5)))


def note_scene(feed):
    """One message of each topic that is shown."""
    for note in (note_image, note_detections, note_cones, note_scan, note_odometry):
        note(feed)
    note_statuses(feed, camera=0, lidar=1)
    note_latency(feed, 0.02)


def _note_made(feed, topic, msgtype, msg):
    feed.note(topic, msgtype, bytes(default_typestore().serialize_cdr(msg, msgtype)))
