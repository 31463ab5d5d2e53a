"""The bridge's file against the worlds that Gazebo runs and the topics that our nodes use."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from conegrad_simulation.gazebo import topics

ROOT = Path(__file__).parents[3]
BRIDGES = yaml.safe_load((ROOT / "config/gazebo_bridge.yaml").read_text())
BY_GAZEBO = {bridge["gz_topic_name"]: bridge for bridge in BRIDGES}
BY_ROS = {bridge["ros_topic_name"]: bridge for bridge in BRIDGES}

# Pairs of types that ros_gz_bridge of Jazzy converts, of those used here.
CONVERTED = {
    ("geometry_msgs/msg/Twist", "gz.msgs.Twist"),
    ("nav_msgs/msg/Odometry", "gz.msgs.Odometry"),
    ("rosgraph_msgs/msg/Clock", "gz.msgs.Clock"),
    ("sensor_msgs/msg/CameraInfo", "gz.msgs.CameraInfo"),
    ("sensor_msgs/msg/Image", "gz.msgs.Image"),
    ("sensor_msgs/msg/Imu", "gz.msgs.IMU"),
    ("sensor_msgs/msg/JointState", "gz.msgs.Model"),
    ("sensor_msgs/msg/LaserScan", "gz.msgs.LaserScan"),
    ("sensor_msgs/msg/PointCloud2", "gz.msgs.PointCloudPacked"),
    ("tf2_msgs/msg/TFMessage", "gz.msgs.Pose_V"),
}


def sensor_topics(sdf):
    """Gazebo's topics and types of the sensors of a model."""
    found = {}
    for sensor in sdf.iter("sensor"):
        topic, kind = sensor.findtext("topic"), sensor.get("type")
        if kind == "camera":
            found[topic] = "gz.msgs.Image"
            found[sensor.findtext("camera/camera_info_topic")] = "gz.msgs.CameraInfo"
        elif kind == "gpu_lidar" and sensor.findtext("lidar/scan/vertical/samples") == "1":
            found[topic] = "gz.msgs.LaserScan"
        elif kind == "gpu_lidar":
            found[f"{topic}/points"] = "gz.msgs.PointCloudPacked"
        else:
            found[topic] = {"imu": "gz.msgs.IMU"}[kind]
    return found


def system_topics(root):
    """Gazebo's topics, types and directions of the systems of a model or a world."""
    kinds = {
        ("AckermannSteering", "topic"): ("gz.msgs.Twist", "ROS_TO_GZ"),
        ("AckermannSteering", "odom_topic"): ("gz.msgs.Odometry", "GZ_TO_ROS"),
        ("AckermannSteering", "tf_topic"): ("gz.msgs.Pose_V", "GZ_TO_ROS"),
        ("OdometryPublisher", "odom_topic"): ("gz.msgs.Odometry", "GZ_TO_ROS"),
        ("JointStatePublisher", "topic"): ("gz.msgs.Model", "GZ_TO_ROS"),
        ("PosePublisher", "topic"): ("gz.msgs.Pose_V", "GZ_TO_ROS"),
    }
    found = {}
    for plugin in root.iter("plugin"):
        system = plugin.get("name").split("::")[-1]
        for (name, tag), kind in kinds.items():
            if name == system:
                found[plugin.findtext(tag)] = kind
    return found


@pytest.mark.parametrize("vehicle", ["formula_student", "roboracer"])
def test_every_sensor_is_bridged_with_its_type(export, vehicle):
    found = {}
    for lidar in ("planar", "cloud"):
        path = export(vehicle, lidar) / "models/car/model.sdf"
        found |= sensor_topics(ElementTree.parse(path).getroot())
    assert len(found) == 5
    for topic, kind in found.items():
        assert BY_GAZEBO[topic]["gz_type_name"] == kind
        assert BY_GAZEBO[topic]["direction"] == "GZ_TO_ROS"


def test_every_system_is_bridged_with_its_type_and_direction(export):
    folder = export()
    found = system_topics(ElementTree.parse(folder / "models/car/model.sdf").getroot())
    found |= system_topics(ElementTree.parse(folder / "world.sdf").getroot())
    assert len(found) == 6
    for topic, kind in found.items():
        bridge = BY_GAZEBO[topic]
        assert (bridge["gz_type_name"], bridge["direction"]) == kind


def test_nothing_is_bridged_that_no_world_has(export):
    found = {topics.CLOCK}
    for lidar in ("planar", "cloud"):
        folder = export(lidar=lidar)
        for path in (folder / "world.sdf", folder / "models/car/model.sdf"):
            root = ElementTree.parse(path).getroot()
            found |= set(sensor_topics(root)) | set(system_topics(root))
    assert set(BY_GAZEBO) == found


@pytest.mark.parametrize("bridge", BRIDGES, ids=lambda bridge: bridge["ros_topic_name"])
def test_types_can_be_converted(bridge):
    assert (bridge["ros_type_name"], bridge["gz_type_name"]) in CONVERTED
    assert set(bridge) == {
        "ros_topic_name", "gz_topic_name", "ros_type_name", "gz_type_name", "direction"
    }  # fmt: skip


def test_only_clock_and_tf_have_absolute_names():
    absolute = {name for name in BY_ROS if name.startswith("/")}
    assert absolute == {"/clock", "/tf"}


def test_our_nodes_subscribe_to_what_the_bridge_publishes():
    sources = [
        *(ROOT / "src/conegrad_nodes/conegrad_nodes").glob("*_node.py"),
        ROOT / "src/conegrad_simulation/conegrad_simulation/gazebo/truth_node.py",
    ]
    inputs = {
        "image_raw": "Image",
        "camera_info": "CameraInfo",
        "scan": "LaserScan",
        "points": "PointCloud2",
        "odom": "Odometry",
        "truth/odom": "Odometry",
    }
    text = "\n".join(path.read_text() for path in sources)
    for topic, msgtype in inputs.items():
        assert re.search(rf'"{topic}"', text), f"no node subscribes to {topic}"
        assert BY_ROS[topic]["ros_type_name"].split("/")[-1] == msgtype


@pytest.mark.ros
@pytest.mark.parametrize(
    "bridge",
    [b for b in BRIDGES if b["ros_type_name"] != "tf2_msgs/msg/TFMessage"],
    ids=lambda bridge: bridge["ros_topic_name"],
)
def test_types_exist_in_ros(bridge):
    package, _, name = bridge["ros_type_name"].split("/")
    messages = pytest.importorskip(f"{package}.msg")
    assert hasattr(messages, name)


def test_points_of_the_3d_lidar_are_chosen_by_the_nodes_own_parameter():
    from conegrad_nodes.parameters.node_settings import LidarNodeConfig

    values = yaml.safe_load((ROOT / "config/gazebo_points.yaml").read_text())
    parameters = values["/**/lidar_node"]["ros__parameters"]
    assert LidarNodeConfig(**parameters).input == "points"
