"""The truth node on real topics."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from conegrad_msgs.msg import Cone, TruthCones
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, LaserScan

from conegrad_simulation.gazebo.truth_node import TruthNode
from conegrad_simulation.scene.scene import standard_scene
from conegrad_simulation.scene.scene_file import save_scene

pytestmark = pytest.mark.ros
DEADLINE = 20.0  # [s]


def make_node(context, **values):
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return TruthNode(context=context, parameter_overrides=overrides)


def stamped(msg, second):
    msg.header.stamp.sec = second
    return msg


def pose_msg(second, x):
    msg = stamped(Odometry(), second)
    msg.pose.pose.position.x = x
    msg.pose.pose.orientation.w = 1.0
    return msg


def test_truth_has_the_stamp_of_the_scan_and_the_frame_of_the_lidar(context, tmp_path):
    save_scene(standard_scene(np.array([[6.6, 1.0]]), np.array([0])), tmp_path / "scene.json")
    node = make_node(context, scene=str(tmp_path / "scene.json"), vehicle="formula_student")
    world = Node("world", context=context)
    answers = []
    world.create_subscription(TruthCones, "truth", answers.append, 5)
    publishers = {
        topic: world.create_publisher(msgtype, topic, 5)
        for topic, msgtype in (
            ("camera_info", CameraInfo), ("scan", LaserScan), ("truth/odom", Odometry)
        )
    }  # fmt: skip
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(world)
    deadline, second = time.monotonic() + DEADLINE, 1
    while not answers and time.monotonic() < deadline:
        # The scan of an even second lies between two poses, where the car is at 2 m.
        publishers["truth/odom"].publish(pose_msg(second, 1.0))
        publishers["camera_info"].publish(stamped(CameraInfo(), second + 1))
        publishers["scan"].publish(stamped(LaserScan(), second + 1))
        executor.spin_once(0.05)
        executor.spin_once(0.05)
        publishers["truth/odom"].publish(pose_msg(second + 2, 3.0))
        for _ in range(10):
            executor.spin_once(0.02)
        second += 10
    assert answers, f"no truth within {DEADLINE} s"
    truth = answers[0]
    assert truth.header.frame_id == "lidar"
    assert truth.header.stamp.sec % 10 == 2
    (cone,) = truth.cones
    # 6.6 m less the car's 2 m and the 1.6 m to the LiDAR; the ground is 0.15 m below it.
    assert (cone.position.x, cone.position.y) == pytest.approx((3.0, 1.0))
    assert cone.position.z == pytest.approx(-0.15)
    assert cone.colour == Cone.BLUE
    assert cone.visible_camera
    assert cone.visible_lidar
    executor.shutdown()
    node.destroy_node()
    world.destroy_node()


def test_refuses_to_start_without_a_scene(context):
    with pytest.raises(ValueError, match="parameter scene of truth_node is empty"):
        make_node(context)
