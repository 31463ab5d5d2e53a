"""What the topics of a bag can be for, and what they are usually called."""

from collections.abc import Mapping
from typing import NamedTuple

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"

# In this order: a camera_info belongs to the image, detections to the cones. What each role is
# called at the end of a topic, and the types it may have, in groups: the first group with a topic
# is taken, in it the first ending. An empty ending stands for any name.
ROLES: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]] = {
    "image": (
        (("image_raw", IMAGE), ("image_raw/compressed", COMPRESSED_IMAGE)),
        (
            ("image_rect_color", IMAGE),
            ("image_rect_color/compressed", COMPRESSED_IMAGE),
            ("image_rect", IMAGE),
            ("image_rect/compressed", COMPRESSED_IMAGE),
            ("image_color", IMAGE),
            ("image_color/compressed", COMPRESSED_IMAGE),
        ),
        (("compressed", COMPRESSED_IMAGE),),
        (("", IMAGE), ("", COMPRESSED_IMAGE)),
    ),
    "camera_info": ((("camera_info", "sensor_msgs/msg/CameraInfo"),),),
    "scan": ((("scan", "sensor_msgs/msg/LaserScan"),), (("", "sensor_msgs/msg/LaserScan"),)),
    "points": (
        (("points", "sensor_msgs/msg/PointCloud2"),),
        (("", "sensor_msgs/msg/PointCloud2"),),
    ),
    "odom": ((("odom", "nav_msgs/msg/Odometry"),), (("", "nav_msgs/msg/Odometry"),)),
    "tf_static": ((("tf_static", "tf2_msgs/msg/TFMessage"),),),
    "truth": (
        (("truth", "conegrad_msgs/msg/TruthCones"),),
        (("", "conegrad_msgs/msg/TruthCones"),),
    ),
    "cones": ((("cones", "conegrad_msgs/msg/ConeArray"),),),
    "detections": ((("detections", "conegrad_msgs/msg/ConeDetectionArray"),),),
    "segmentation": ((("segmentation", "conegrad_msgs/msg/ScanSegmentation"),),),
}
# The graph of 'perceive' writes these in no namespace; a bag may hold those of the car as well.
RESULTS = ("cones", "detections", "segmentation")


class TopicChoice(NamedTuple):
    """What the topics of a bag are for.

    Attributes:
        roles: topic of each role that was found.
        ambiguities: of each role for which several topics fit equally well, what to do.
        notes: of a role, what was chosen by rule, and what is there that could not be.
    """

    roles: dict[str, str]
    ambiguities: dict[str, str]
    notes: dict[str, str]


def types_of(role: str) -> set[str]:
    """Message types that a role may have."""
    return {msgtype for group in ROLES[role] for _, msgtype in group}
