"""Stands in for robot_state_publisher: the fixed joints of a URDF on /tf_static."""

import xml.etree.ElementTree as ElementTree

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from spinning import spin_until_told
from tf2_msgs.msg import TFMessage


def transform(joint: ElementTree.Element) -> TransformStamped:
    """The transform of a fixed joint."""
    msg = TransformStamped(child_frame_id=joint.find("child").get("link"))
    msg.header.frame_id = joint.find("parent").get("link")
    origin = joint.find("origin")
    x, y, z = map(float, origin.get("xyz", "0 0 0").split())
    angles = [float(word) for word in origin.get("rpy", "0 0 0").split()]
    rotation = Rotation.from_euler("xyz", angles).as_quat().tolist()
    part = msg.transform.translation
    part.x, part.y, part.z = x, y, z
    part = msg.transform.rotation
    part.x, part.y, part.z, part.w = rotation
    return msg


def publish_frames(node: Node) -> None:
    """Publish all fixed joints once, for late subscribers as well."""
    robot = ElementTree.fromstring(node.declare_parameter("robot_description", "").value)
    joints = [joint for joint in robot.iter("joint") if joint.get("type") == "fixed"]
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = node.create_publisher(TFMessage, "/tf_static", qos)
    publisher.publish(TFMessage(transforms=[transform(joint) for joint in joints]))


spin_until_told(publish_frames)
