"""Stands in for the bridge to Gazebo: each topic of its file, ten times per second."""

import sys
from importlib import import_module
from pathlib import Path

import yaml
from rclpy.node import Node

sys.path.insert(0, str(Path(__file__).parents[1]))

from sensor_messages import camera_info_msg, image_msg, scan_msg
from spinning import spin_until_told

PERIOD_NS = 100_000_000
MAKERS = {"Image": image_msg, "CameraInfo": camera_info_msg, "LaserScan": scan_msg}


def message_class(type_name: str) -> type:
    """Class of a message by its name, such as ``sensor_msgs/msg/Image``."""
    package, _, name = type_name.split("/")
    found: type = getattr(import_module(f"{package}.msg"), name)
    return found


class Bridge:
    """Publishes a standing car on the time that it makes."""

    def __init__(self, node: Node) -> None:
        path = Path(node.declare_parameter("config_file", "").value)
        entries = [e for e in yaml.safe_load(path.read_text()) if e["direction"] == "GZ_TO_ROS"]
        self._publishers = [
            (node.create_publisher(message_class(e["ros_type_name"]), e["ros_topic_name"], 5),
             e["ros_type_name"])
            for e in entries
        ]  # fmt: skip
        self._now_ns = 10**9
        node.create_timer(PERIOD_NS / 1e9, self._tick)

    def _tick(self) -> None:
        self._now_ns += PERIOD_NS
        for publisher, type_name in self._publishers:
            name = type_name.rpartition("/")[2]
            msg = MAKERS.get(name, message_class(type_name))()
            stamp = msg.clock if name == "Clock" else getattr(msg, "header", None)
            if name != "Clock" and stamp is not None:
                stamp = stamp.stamp
            if stamp is not None:
                stamp.sec, stamp.nanosec = divmod(self._now_ns, 10**9)
            if name == "Odometry":
                msg.pose.pose.orientation.w = 1.0
            publisher.publish(msg)


spin_until_told(Bridge)
