"""A graph of nodes on real topics, with deadlines instead of sleeps, and tiny random weights."""

import time
from array import array

import numpy as np
import pytest
import torch

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_core.lidar.scan_network import ScanNetwork
from conegrad_core.lidar.segmenter import save_segmenter
from conegrad_nodes.calibration_file import CalibrationFile

SIZE = (160, 96)  # of the network's input and of the images [px]
BEAMS = 181
DEADLINE = 60.0  # [s], generous: the machine may be busy


class Graph:
    """Nodes of one context, and a peer that talks to them."""

    def __init__(self, context):
        self.context = context
        self.executor = EventsExecutor(context=context)
        self.nodes = []
        self.peer = self.add(Node("peer", context=context))

    def add(self, node):
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def start(self, node_class, **parameters):
        """Make a node with these parameters, add and start it; dots are double underscores."""
        overrides = [
            Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()
        ]
        node = self.add(node_class(context=self.context, parameter_overrides=overrides))
        node.start()
        return node

    def hear(self, msgtype, topic, depth=50):
        """List that fills with the messages of a topic."""
        messages = []
        self.peer.create_subscription(msgtype, topic, messages.append, depth)
        return messages

    def publisher(self, msgtype, topic, reliability=ReliabilityPolicy.RELIABLE):
        return self.peer.create_publisher(
            msgtype, topic, QoSProfile(depth=50, reliability=reliability)
        )

    def until(self, condition, what, again=None):
        """Spin until a condition holds; ``again`` is called twenty times per second meanwhile."""
        deadline, due = time.monotonic() + DEADLINE, 0.0
        while not condition():
            now = time.monotonic()
            assert now < deadline, f"{what}: not within {DEADLINE} s"
            if again is not None and now >= due:
                again()
                due = now + 0.05
            self.executor.spin_once(0.01)

    def connected(self, publisher):
        self.until(
            lambda: publisher.get_subscription_count() > 0, f"subscriber of {publisher.topic_name}"
        )

    def close(self):
        for node in self.nodes:
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()


class Reports:
    """The latest diagnostics by name."""

    def __init__(self, graph):
        self.latest = {}
        self.changes = []
        graph.peer.create_subscription(DiagnosticArray, "/diagnostics", self._take, 50)

    def _take(self, msg):
        for status in msg.status:
            self.latest[status.name] = status

    def text(self, name):
        return self.latest[name].message if name in self.latest else ""

    def level(self, name):
        return self.latest[name].level[0] if name in self.latest else -1


@pytest.fixture
def graph(context, tmp_path, monkeypatch):
    monkeypatch.setenv("CONEGRAD_CACHE", str(tmp_path / "cache"))
    graph = Graph(context)
    yield graph
    graph.close()


@pytest.fixture
def reports(graph):
    return Reports(graph)


@pytest.fixture(scope="session")
def camera_weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(build_network("yolov5n").eval(), path, architecture="yolov5n", input_size=SIZE)
    return str(path)


@pytest.fixture(scope="session")
def lidar_weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "scan.safetensors"
    save_segmenter(ScanNetwork(), path, {})
    return str(path)


@pytest.fixture
def camera_parameters(camera_weights):
    return {
        "detector__weights": camera_weights,
        "detector__engine": "torch",
        "detector__input_width": SIZE[0],
        "detector__input_height": SIZE[1],
    }


@pytest.fixture
def lidar_parameters(lidar_weights):
    return {"segmenter__weights": lidar_weights}


FRAMES = """
frames:
  - {parent: base_link, child: lidar, translation: [1.0, 0.0, 0.15], quaternion: [0, 0, 0, 1]}
  - parent: base_link
    child: camera_optical
    translation: [0.5, 0.0, 1.0]
    quaternion: [-0.5, 0.5, -0.5, 0.5]
"""


@pytest.fixture
def frames_file(tmp_path):
    path = tmp_path / "frames.yaml"
    path.write_text(FRAMES)
    assert CalibrationFile(path).camera is None
    return str(path)


def image_msg(stamp=7, size=SIZE):
    msg = Image(width=size[0], height=size[1], encoding="rgb8", step=3 * size[0])
    msg.header.frame_id, msg.header.stamp.sec = "camera_optical", stamp
    pixels = np.arange(3 * size[0] * size[1]) % 251
    msg.data = array("B", pixels.astype(np.uint8).tobytes())
    return msg


def scan_msg(stamp=7, beams=BEAMS, ranges=None):
    msg = LaserScan(angle_min=-1.5, angle_increment=3.0 / (beams - 1), range_max=30.0)
    msg.header.frame_id, msg.header.stamp.sec = "lidar", stamp
    values = np.full(beams, np.nan, dtype=np.float32) if ranges is None else ranges
    if ranges is None:
        values[88:93] = 4.0  # one narrow object straight ahead
    msg.ranges = array("f", np.asarray(values, dtype=np.float32).tobytes())
    return msg


def camera_info_msg(size=SIZE):
    msg = CameraInfo(width=size[0], height=size[1], distortion_model="plumb_bob")
    msg.header.frame_id = "camera_optical"
    msg.k = [80.0, 0.0, size[0] / 2, 0.0, 80.0, size[1] / 2, 0.0, 0.0, 1.0]
    msg.d = [0.0] * 5
    return msg


@pytest.fixture
def messages():
    """Makers of messages: image, scan, camera_info."""

    class Messages:
        image = staticmethod(image_msg)
        scan = staticmethod(scan_msg)
        camera_info = staticmethod(camera_info_msg)

    return Messages
