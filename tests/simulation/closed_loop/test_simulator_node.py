"""The simulator node on real topics."""

import dataclasses
import time

import pytest

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from conegrad_msgs.msg import ConeDetectionArray, TruthCones
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, LaserScan

from conegrad_data.decode import image_from_msg, stamp_ns_from_msg
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.simulator import SensorConfig, Simulator
from conegrad_simulation.closed_loop.simulator_node import SimulatorNode
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

pytestmark = pytest.mark.ros
DEADLINE = 60.0  # [s]
SUBSCRIBED = {
    "/clock": Clock, "odom": Odometry, "scan": LaserScan, "camera_info": CameraInfo,
    "image_raw/compressed": CompressedImage, "truth": TruthCones,
}  # fmt: skip


@pytest.fixture(scope="module")
def description():
    """An acceleration track, seen by a small camera, which renders fast."""
    whole = describe_scene(SceneSettings(track="acceleration", seed=3))
    camera = dataclasses.replace(whole.vehicle.camera, width=160, height=96)
    return whole._replace(vehicle=dataclasses.replace(whole.vehicle, camera=camera))


class Loop:
    """The node, and a peer that subscribes to it and publishes results."""

    def __init__(self, context, description, **parameters):
        simulator = Simulator(description, SensorConfig(camera_rate=10.0), BicycleConfig())
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        self.node = SimulatorNode(simulator, context=context, parameter_overrides=overrides)
        self.peer = Node("peer", context=context)
        self.executor = EventsExecutor(context=context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.peer)
        self.received = {topic: [] for topic in SUBSCRIBED}
        for topic, msgtype in SUBSCRIBED.items():
            self.peer.create_subscription(msgtype, topic, self.received[topic].append, 200)

    def close(self):
        for node in (self.node, self.peer):
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()

    def until(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {DEADLINE} s"
            self.executor.spin_once(0.01)

    def go_on(self, seconds):
        """Run the node for a simulated time."""
        end = self.node.simulator.car.time + seconds
        while self.node.simulator.car.time < end:
            self.node.step()
            self.node.wait_until_due(self.executor, lambda: None)


@pytest.fixture
def make(context, description):
    loops = []

    def make(**parameters):
        loops.append(Loop(context, description, **parameters))
        return loops[-1]

    yield make
    for loop in loops:
        loop.close()


def test_publishes_sensors_clock_and_truth_without_waiting_for_nodes_that_are_not_there(make):
    loop = make()
    loop.until(lambda: loop.peer.count_publishers("truth"), "publishers")
    loop.until(lambda: loop.node.count_subscribers("truth"), "subscribers")
    loop.go_on(0.4)
    for topic, messages in loop.received.items():
        loop.until(lambda received=messages: len(received) >= 3, f"messages on {topic}")
    image = loop.received["image_raw/compressed"][0]
    assert image_from_msg(image).shape == (96, 160, 3)
    assert image.header.frame_id == "camera_optical"
    assert loop.received["camera_info"][0].header.stamp == image.header.stamp
    assert loop.received["scan"][0].header.frame_id == "lidar"
    times = [stamp_ns_from_msg(msg.clock) for msg in loop.received["/clock"]]
    assert times == sorted(times)
    assert loop.node.missing_partners() == ["/cones", "/cmd_vel"]


def test_commands_drive_the_car(make):
    loop = make()
    publisher = loop.peer.create_publisher(Twist, "cmd_vel", 5)
    loop.until(publisher.get_subscription_count, "a subscriber of cmd_vel")
    loop.go_on(0.05)
    command = Twist()
    command.linear.x = 6.0
    publisher.publish(command)
    loop.until(lambda: loop.node.simulator.car.is_commanded, "the command")
    loop.go_on(0.5)
    loop.until(lambda: loop.received["odom"][-1].twist.twist.linear.x > 0.5, "a moving car")


def test_time_stands_still_until_an_image_is_answered(make):
    loop = make()
    publisher = loop.peer.create_publisher(ConeDetectionArray, "detections", 5)
    loop.until(publisher.get_subscription_count, "a subscriber of detections")
    loop.until(lambda: loop.node.count_publishers("detections"), "a publisher of detections")
    while loop.node.step().event.kind != "camera":
        loop.node.wait_until_due(loop.executor, lambda: None)
    assert loop.node.lockstep.pending(loop.node.now_ns) == ["detections"]
    loop.until(lambda: loop.received["image_raw/compressed"], "the image")
    answer = ConeDetectionArray(header=loop.received["image_raw/compressed"][-1].header)
    publisher.publish(answer)
    loop.until(lambda: not loop.node.lockstep.pending(loop.node.now_ns), "the answer")


def test_a_missing_answer_is_given_up_and_counted(make):
    loop = make(patience=0.1)
    loop.peer.create_publisher(ConeDetectionArray, "detections", 5)
    loop.until(lambda: loop.node.count_publishers("detections"), "a publisher of detections")
    loop.go_on(0.05)
    assert loop.node.lockstep.missing_results == {"detections": 1}


def test_the_scene_comes_from_the_parameters(context):
    overrides = [
        Parameter(name, value=value)
        for name, value in (("track", "skidpad"), ("vehicle", "roboracer"), ("quality", 0))
    ]
    node = SimulatorNode(context=context, parameter_overrides=overrides)
    assert node.simulator.description.track.name == "skidpad"
    assert node.simulator.is_raw
    node.destroy_node()


def test_the_first_command_is_not_waited_for_as_long_as_a_network(make):
    node = make().node
    now = time.monotonic()
    node._wait_until = now + 60.0
    node.lockstep.add_cones(7_000_000, None, is_driven=True, now=now)
    assert node._waits_until(["command"]) <= now + 5.0
    assert node._waits_until(["command", "detections"]) == node._wait_until
    node.lockstep.add_command(now)
    assert node._waits_until(["command"]) == node._wait_until
