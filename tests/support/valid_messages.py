"""A valid message of each input of each node, at a stamp."""

from array import array

import cv2
import numpy as np
from conegrad_msgs.msg import (
    Cone,
    ConeArray,
    ConeDetection,
    ConeDetectionArray,
    NamedTensor,
    PortTensors,
    ScanSegmentation,
)
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from sensor_messages import camera_info_msg, image_msg, scan_msg
from sensor_msgs.msg import CompressedImage, PointCloud2, PointField

LIDAR_X = 1.6  # [m], of the preset formula_student


def compressed_msg():
    raw = image_msg()
    pixels = np.frombuffer(raw.data, dtype=np.uint8).reshape(raw.height, raw.width, 3)
    msg = CompressedImage(format="rgb8; png compressed rgb8")
    msg.header.frame_id = "camera_optical"
    msg.data = array("B", cv2.imencode(".png", pixels)[1].tobytes())
    return msg


def points_msg():
    """Level ground half a metre below the LiDAR, and one cone."""
    x, y = np.meshgrid(np.linspace(1, 9, 30), np.linspace(-4, 4, 30))
    ground = np.stack([x.ravel(), y.ravel(), np.full(x.size, -0.5)], axis=1)
    cone = np.stack([np.full(20, 4.0), np.linspace(-0.05, 0.05, 20), np.full(20, -0.35)], axis=1)
    points = np.concatenate([ground, cone]).astype(np.float32)
    msg = PointCloud2(height=1, width=len(points), point_step=12, row_step=12 * len(points))
    msg.header.frame_id = "lidar"
    msg.fields = [
        PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
        for place, name in enumerate("xyz")
    ]
    msg.data = array("B", points.tobytes())
    return msg


def odometry_msg(speed=3.0):
    msg = Odometry(child_frame_id="base_link")
    msg.header.frame_id = "odom"
    msg.pose.pose.orientation.w = 1.0
    msg.twist.twist.linear.x = speed
    return msg


def transforms():
    """LiDAR and camera on the car."""
    lidar, camera = TransformStamped(child_frame_id="lidar"), TransformStamped()
    camera.child_frame_id = "camera_optical"
    lidar.transform.translation.x, lidar.transform.translation.z = 1.0, 0.15
    camera.transform.translation.x, camera.transform.translation.z = 0.5, 1.0
    q = camera.transform.rotation
    q.x, q.y, q.z, q.w = -0.5, 0.5, -0.5, 0.5
    for transform in (lidar, camera):
        transform.header.frame_id = "base_link"
    return [lidar, camera]


def segmentation_msg():
    """A cone of five beams straight ahead."""
    ranges = np.full(181, np.nan, dtype=np.float32)
    ranges[88:93] = 4.0
    msg = ScanSegmentation(angle_min=-1.5, angle_increment=3.0 / 180, range_max=30.0)
    msg.header.frame_id = "lidar"
    msg.ranges = array("f", ranges.tobytes())
    msg.logits = array("f", np.full(181, 6.0, dtype=np.float32).tobytes())
    return msg


def detections_msg():
    """A blue cone straight ahead."""
    msg = ConeDetectionArray(image_width=160, image_height=96)
    msg.header.frame_id = "camera_optical"
    msg.class_names = ["yellow", "blue", "small_orange", "big_orange"]
    logits = [-6.0, 6.0, -6.0, -6.0]
    msg.detections = [
        ConeDetection(
            center_u=80.0, center_v=62.0, width=4.0, height=6.0, class_logits=logits, score=0.99
        )
    ]
    return msg


def keypoints_msg():
    """Keypoints of the cone of :func:`detections_msg`."""
    points = [[80.0, 59.0], [79.6, 60.8], [80.4, 60.8], [79.2, 62.6], [80.8, 62.6]]
    positions = [number for point in [*points, [78.8, 64.4], [81.2, 64.4]] for number in point]
    msg = PortTensors(kind="Keypoints", image_width=160, image_height=96)
    msg.header.frame_id = "camera_optical"
    msg.tensors = [
        NamedTensor(name="positions", shape=[1, 7, 2], data=positions),
        NamedTensor(name="log_deviations", shape=[1, 7], data=[0.0] * 7),
    ]
    return msg


def lane_msg():
    """Cones on both sides of a straight lane, for the driver."""
    msg = ConeArray(camera_used=True, lidar_used=True)
    msg.header.frame_id = "lidar"
    for x in range(0, 16, 3):
        for y, name in ((1.75, "blue"), (-1.75, "yellow")):
            cone = Cone(covariance=[0.01, 0.0, 0.0, 0.01], existence=0.95, source=3)
            cone.position.x, cone.position.y = x - LIDAR_X, y
            setattr(cone, f"probability_{name}", 1.0)
            msg.cones.append(cone)
    return msg


SCAN_MAKERS = {"scan": scan_msg, "points": points_msg}
IMAGE_MAKERS = {"image_raw": image_msg, "image_raw/compressed": compressed_msg}
INFO_MAKERS = {"camera_info": camera_info_msg, "odom": odometry_msg}
RESULT_MAKERS = {"detections": detections_msg, "segmentation": segmentation_msg}
DRIVER_MAKERS = {"odom": odometry_msg, "cones": lane_msg}
KEYPOINT_MAKERS = {"keypoints": keypoints_msg}
