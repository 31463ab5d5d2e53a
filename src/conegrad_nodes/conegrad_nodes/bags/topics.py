"""Finds the topics of a bag by what they are for, whatever namespace they were recorded in."""

from collections.abc import Mapping

from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.types import BagError

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"

# What each role is called at the end of a topic, and the types it may have; the first that is
# found is taken.
ROLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "image": (
        ("image_raw", IMAGE),
        ("image_raw/compressed", COMPRESSED_IMAGE),
        ("compressed", COMPRESSED_IMAGE),
        ("", IMAGE),
    ),
    "camera_info": (("camera_info", "sensor_msgs/msg/CameraInfo"),),
    "scan": (("scan", "sensor_msgs/msg/LaserScan"), ("", "sensor_msgs/msg/LaserScan")),
    "points": (("points", "sensor_msgs/msg/PointCloud2"), ("", "sensor_msgs/msg/PointCloud2")),
    "odom": (("odom", "nav_msgs/msg/Odometry"), ("", "nav_msgs/msg/Odometry")),
    "tf_static": (("tf_static", "tf2_msgs/msg/TFMessage"),),
    "truth": (("truth", "conegrad_msgs/msg/TruthCones"), ("", "conegrad_msgs/msg/TruthCones")),
    "detections": (("detections", "conegrad_msgs/msg/ConeDetectionArray"),),
    "segmentation": (("segmentation", "conegrad_msgs/msg/ScanSegmentation"),),
    "cones": (("cones", "conegrad_msgs/msg/ConeArray"),),
}


def find_topic(bag: BagReader, role: str, given: str | None = None) -> str | None:
    """Name of the topic that plays a role, None if the bag has none.

    Args:
        bag: where to look.
        role: a key of :data:`ROLES`.
        given: a name that the user chose.

    Raises:
        BagError: if several topics fit equally well, or the given one is not in the bag.
    """
    if given is not None:
        return _given_topic(bag, role, given)
    for suffix, msgtype in ROLES[role]:
        names = [
            name
            for name, topic in bag.topics.items()
            if topic.msgtype == msgtype and topic.count and _ends_with(name, suffix)
        ]
        if len(names) > 1:
            raise BagError(
                f"{bag.path}: {', '.join(names)} could each be the {role} topic; name one"
            )
        if names:
            return names[0]
    return None


def find_topics(bag: BagReader, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Topic of each role that the bag has.

    Raises:
        BagError: as :func:`find_topic`, or if a name is given to a role that does not exist.
    """
    given = given or {}
    for role, name in given.items():
        if role not in ROLES:
            raise BagError(f"{role}={name}: no such role, expected one of {', '.join(ROLES)}")
    found = {role: find_topic(bag, role, given.get(role)) for role in ROLES}
    return {role: name for role, name in found.items() if name is not None}


def _given_topic(bag: BagReader, role: str, given: str) -> str:
    name = given if given.startswith("/") else f"/{given}"
    types = {msgtype for _, msgtype in ROLES[role]}
    if name not in bag.topics:
        raise BagError(f"{bag.path} has no topic {name}; it holds {', '.join(bag.topics)}")
    if bag.topics[name].msgtype not in types:
        raise BagError(
            f"{name} is {bag.topics[name].msgtype}, expected {' or '.join(sorted(types))} as {role}"
        )
    return name


def _ends_with(name: str, suffix: str) -> bool:
    return not suffix or name == f"/{suffix}" or name.endswith(f"/{suffix}")
