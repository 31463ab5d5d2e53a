"""The driver node on real topics, under a simulated clock."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from warm_python import WarmProcess

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from conegrad_msgs.msg import Cone, ConeArray
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry, Path
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock

from conegrad_simulation.driver.driver_node import DriverNode

pytestmark = pytest.mark.ros
DEADLINE = 60.0  # [s]
SECOND = 1_000_000_000
TICK = 10_000_000  # [ns] between two times of the simulated clock
LIDAR_X = 1.6  # [m], place of the LiDAR on the car


class World:
    """A peer with the clock of the simulation, a lane of cones, and what the driver says."""

    def __init__(self, context, *, has_driver=True):
        self.now_ns = 100 * SECOND
        self.commands, self.causes = [], []  # each with the time of the simulation
        self.latest = {}  # diagnostics by name
        self.nodes = [Node("world", context=context)]
        self.peer = self.nodes[0]
        if has_driver:
            overrides = [Parameter("use_sim_time", value=True)]
            self.nodes.append(DriverNode(context=context, parameter_overrides=overrides))
        self.executor = EventsExecutor(context=context)
        for node in self.nodes:
            self.executor.add_node(node)
        self.publishers = {
            topic: self.peer.create_publisher(msgtype, topic, 50)
            for topic, msgtype in (("/clock", Clock), ("odom", Odometry), ("cones", ConeArray))
        }
        self.peer.create_subscription(Twist, "cmd_vel", self._on_command, 50)
        self.peer.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50)

    def close(self):
        for node in self.nodes:
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()

    def tick(self, **odd):
        """Go on by a hundredth of a second: clock and odometry, which may be odd."""
        self.now_ns += TICK
        clock = Clock()
        clock.clock.sec, clock.clock.nanosec = divmod(self.now_ns, SECOND)
        self.publishers["/clock"].publish(clock)
        odometry = Odometry()
        odometry.header.stamp, odometry.header.frame_id = clock.clock, "odom"
        odometry.header.stamp.sec += odd.get("ahead", 0)
        odometry.pose.pose.orientation.w = odd.get("w", 1.0)
        odometry.pose.pose.position.x = odd.get("x", 0.0)
        odometry.twist.twist.linear.x = odd.get("speed", 3.0)
        self.publishers["odom"].publish(odometry)
        self.spin(0.005)

    def add_cones(self, xs=range(0, 16, 3), **odd):
        """Publish the cones of a straight lane."""
        msg = ConeArray(camera_used=True, lidar_used=True)
        msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(self.now_ns, SECOND)
        msg.header.frame_id = "lidar"
        for x in xs:
            for y, name in ((1.75, "blue"), (-1.75, "yellow")):
                values = {"covariance": [0.01, 0.0, 0.0, 0.01], "existence": 0.95, **odd}
                cone = Cone(source=3, **values)
                cone.position.x, cone.position.y = x - LIDAR_X, y
                setattr(cone, f"probability_{name}", 1.0)
                msg.cones.append(cone)
        self.publishers["cones"].publish(msg)
        self.spin(0.005)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            self.executor.spin_once(remaining)

    def drive(self):
        """Show the lane until the driver drives; returns the time of the last cones [ns]."""
        deadline = time.monotonic() + DEADLINE
        while not (self.commands and self.commands[-1][1].linear.x > 0):
            assert time.monotonic() < deadline, f"the driver does not drive: {self.causes}"
            self.tick()
            self.add_cones()
        return self.now_ns

    def first_stop_after(self, start_ns):
        """Time from a moment until the first command to stop, in simulated time [s]."""
        stops = [t for t, msg in self.commands if t > start_ns and msg.linear.x == 0.0]
        return (stops[0] - start_ns) / SECOND if stops else np.inf

    def _on_command(self, msg):
        self.commands.append((self.now_ns, msg))

    def until(self, condition, what, go_on):
        """Go on, again and again, until a condition holds."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {DEADLINE} s"
            go_on()

    def _on_diagnostics(self, msg):
        self.latest |= {status.name: status for status in msg.status}
        self.causes += [
            (self.now_ns, status.level[0], status.message)
            for status in msg.status
            if status.name == "driver_node: driver"
        ]


@pytest.fixture
def world(context):
    world = World(context)
    yield world
    world.close()


def test_stops_within_0_3_s_of_simulated_time_when_cones_stop(world):
    last_ns = world.drive()
    for _ in range(40):
        world.tick()
    assert 0.2 < world.first_stop_after(last_ns) <= 0.3
    assert world.commands[-1][1].linear.x == 0.0
    _, level, text = world.causes[-1]
    assert level == 1
    assert text.startswith("stopped: the newest cones are 0.")


def test_stops_within_0_3_s_of_simulated_time_when_cones_are_empty(world):
    last_ns = world.drive()
    for index in range(40):
        world.tick()
        if index % 5 == 0:
            world.add_cones(xs=())
    assert 0.2 < world.first_stop_after(last_ns) <= 0.3
    assert world.causes[-1][2].startswith("stopped: no cone seen for")


def test_drives_on_while_cones_come_and_the_wall_clock_does_not_matter(world):
    start_ns = world.drive()
    world.spin(0.5)  # longer than the timeout, but no simulated time
    for _ in range(30):
        world.tick()
        world.add_cones()
    assert world.first_stop_after(start_ns) == np.inf
    assert world.causes[-1][1] == 0
    assert "6 cones left, 6 right" in world.causes[-1][2]


def test_shows_the_lane_in_the_frame_of_the_odometry(world):
    lanes = []
    world.peer.create_subscription(Path, "lane", lanes.append, 5)
    world.drive()
    deadline = time.monotonic() + DEADLINE
    while not lanes and time.monotonic() < deadline:
        world.tick()
        world.add_cones()
    assert lanes[-1].header.frame_id == "odom"
    places = np.array([(p.pose.position.x, p.pose.position.y) for p in lanes[-1].poses])
    assert places[:, 0] == pytest.approx(np.arange(len(places)) * 0.5, abs=0.05)
    assert np.abs(places[:, 1]).max() < 0.1


def test_refuses_a_vehicle_that_does_not_exist(context):
    overrides = [Parameter("vehicle", value="submarine")]
    with pytest.raises(FileNotFoundError, match="submarine"):
        DriverNode(context=context, parameter_overrides=overrides)


@pytest.mark.parametrize(
    ("topic", "odd", "reason"),
    [
        ("odom", {"w": 1e200}, "orientation is (0, 0, 0, 1e+200)"),
        ("odom", {"w": np.nan}, "expected finite values"),
        ("odom", {"x": 1e39}, "position.x is 1e+39"),
        ("odom", {"speed": np.nan}, "twist.linear.x is nan"),
        ("odom", {"ahead": 100_000_000}, "stamp is 100000000.0 s ahead of the node's clock"),
        ("odom", {"ahead": -10}, "stamp is 10.0 s behind the node's clock"),
        ("cones", {"covariance": [1.0, 1.0, 1.0, 1.0]}, "positive definite"),
        ("cones", {"covariance": [np.nan] * 4}, "covariance is nan"),
        ("cones", {"existence": np.inf}, "existence is inf"),
    ],
)
def test_an_invalid_message_is_reported_and_the_next_ones_drive_on(world, topic, odd, reason):
    world.drive()

    def go_on(**odd_odometry):
        world.tick(**odd_odometry)
        world.add_cones(**(odd if topic == "cones" else {}))

    def told():
        status = world.latest.get(f"driver_node: input /{topic}")
        return status is not None and reason in status.message

    world.until(told, "the reason", lambda: go_on(**(odd if topic == "odom" else {})))
    for _ in range(5):
        world.tick()
        world.add_cones()
    world.drive()
    assert all(np.isfinite((msg.linear.x, msg.angular.z)).all() for _, msg in world.commands)


def test_a_stamp_ahead_of_the_clock_does_not_keep_the_car_driving(world):
    last_ns = world.drive()
    world.tick(ahead=100_000_000)
    for _ in range(40):
        world.tick(ahead=100_000_000)
        world.add_cones()
    assert world.first_stop_after(last_ns) <= 0.3
    assert world.causes[-1][2].startswith("stopped: the newest odometry is 0.")


PROGRAM = """
import sys
from pathlib import Path
from conegrad_nodes.node_base.running import run
from conegrad_simulation.driver.driver_node import DriverNode

class FaultyNode(DriverNode):
    def _on_cones(self, msg, arrival):
        super()._on_cones(msg, arrival)
        if Path(sys.argv[1]).exists():
            raise RuntimeError("a fault of the code")

run([FaultyNode])
"""


@pytest.mark.parametrize(("ending", "code"), [("SIGTERM", 0), ("a fault of the code", 1)])
def test_the_last_command_of_a_process_that_ends_is_a_stop(context, tmp_path, ending, code):
    fault, world = tmp_path / "fault", World(context, has_driver=False)
    words = [sys.executable, "-c", PROGRAM, str(fault), "--ros-args", "-p", "use_sim_time:=true"]
    process = WarmProcess(words, stderr=subprocess.PIPE)
    try:
        world.drive()
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            fault.touch()

        def go_on():
            world.tick()
            world.add_cones()

        world.until(lambda: process.poll() is not None, "the end of the process", go_on)
        world.spin(0.2)
        assert world.commands[-1][1] == Twist()
        assert process.returncode == code, process.said("stderr")
        assert (ending in process.said("stderr")) == bool(code)
    finally:
        process.kill()
        world.close()
