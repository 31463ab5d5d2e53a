"""Odd messages to running nodes, over DDS: does a node end, lie, forget or grow?"""

import contextlib
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import rclpy
from conegrad_msgs.msg import ConeArray, ConeDetectionArray, ScanSegmentation
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from nav_msgs.msg import Path as PathMsg
from odd_messages import OddMessages
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sane_outputs import stamp_ns
from sensor_msgs.msg import PointCloud2
from untrained import SIZE, write_camera_weights, write_lidar_weights
from valid_messages import (
    DRIVER_MAKERS,
    IMAGE_MAKERS,
    INFO_MAKERS,
    RESULT_MAKERS,
    SCAN_MAKERS,
    transforms,
)
from visualization_msgs.msg import MarkerArray

from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.node_base.static_transforms import TF_STATIC
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.this_machine import on_this_machine

START = 120.0  # [s] until the nodes give their first result
RECOVERY = 30.0  # [s] after which a graph counts as silenced; the time it took is reported
VALID_PERIOD = 0.1  # [s] between valid messages amid the odd ones
TF = "/tf_static"
DRIVER = "conegrad_simulation.driver.driver_node"
# Odd messages per second: what is slow to decode comes more slowly, so that little is overtaken.
RATES = {"odom": 200.0, "detections": 200.0, "segmentation": 200.0}
RATE = 60.0


@dataclass
class TopicReport:
    """What came of the odd messages of one input.

    Attributes:
        topic: of the input.
        sent: odd messages.
        received: by the input, valid ones too; as the node said last.
        refused: of them.
        recovery: time until valid messages gave a result again [s].
        memory: of the process before and after [MB].
    """

    topic: str
    sent: int = 0
    received: int = 0
    refused: int = 0
    recovery: float = float("nan")
    memory: tuple[float, float] = (0.0, 0.0)


@dataclass
class Target:
    """A process of nodes, and how it is talked to.

    Attributes:
        parameters: of the process.
        makers: of valid messages, by topic; what is sent to keep the graph at work.
        extra: makers of further inputs that only odd messages are made for.
        module: of the process; empty for that of the perception.
    """

    parameters: dict
    makers: dict
    extra: dict = field(default_factory=dict)
    module: str = "conegrad_nodes.perception"


def perception(folder, image, scan):
    """The three nodes in one process, with tiny networks."""
    parameters = {
        "detector.weights": write_camera_weights(folder),
        "detector.engine": "torch",
        "detector.input_width": SIZE[0],
        "detector.input_height": SIZE[1],
        "segmenter.weights": write_lidar_weights(folder),
        "image_transport": "raw" if image == "image_raw" else "compressed",
        "input": scan,
        "reliability": "reliable",
        "sensor_reliability": "reliable",
        "depth": 50,
        "min_existence": 0.01,
    }
    makers = {image: IMAGE_MAKERS[image], scan: SCAN_MAKERS[scan], **INFO_MAKERS}
    if TF_STATIC is None:  # no wheel has it: tf_static has to be left out
        parameters |= {"calibration.extrinsics": "vehicle"}
        parameters |= {"calibration.vehicle": "formula_student"}
    else:
        makers[TF] = lambda: TF_STATIC(transforms=transforms())
    return Target(parameters, makers, extra=RESULT_MAKERS)


def driver():
    """The driver node."""
    return Target(
        {"reliability": "reliable"}, DRIVER_MAKERS, module="conegrad_simulation.driver.driver_node"
    )


class FuzzedGraph:
    """One process of nodes under odd messages; use it in a ``with`` statement."""

    def __init__(self, target, check):
        self.check, self._target = check, target
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._values = {}  # of diagnostics, by name of the status
        self._result = (0, 0.0)  # stamp and arrival of the newest good result
        self._is_driver = "driver" in target.module

    def __enter__(self):
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._stack.enter_context(on_this_machine(folder))
        domain = self._stack.enter_context(own_domain())
        target = self._target
        self.process = self._stack.enter_context(
            GraphProcess(domain, target.parameters, module=target.module)
        )
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        self._stack.callback(rclpy.try_shutdown, context=context)
        self._node = Node("fuzzer", context=context, use_global_arguments=False)
        self._stack.callback(self._node.destroy_node)
        self._publishers = {
            topic: self._node.create_publisher(type(make()), topic, QoSProfile(depth=100))
            for topic, make in {**target.makers, **target.extra}.items()
        }
        self._listen()
        self._executor = EventsExecutor(context=context)
        self._executor.add_node(self._node)
        self._is_done = threading.Event()
        thread = threading.Thread(target=self._spin)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._is_done.set)
        self.recover(START)
        return self

    def __exit__(self, *_):
        self._stack.close()

    def fuzz(self, topic, count, seed):
        """Send odd messages to an input, valid ones meanwhile, and see what comes of it."""
        make = {**self._target.makers, **self._target.extra}[topic]
        odd = OddMessages(lambda: self._stamped(make()), seed)
        report = TopicReport(topic, memory=(self._memory(), 0.0))
        self._ignored = topic
        begun = due = time.monotonic()
        for number in range(count):
            self._send(topic, odd.next())
            report.sent += 1
            if time.monotonic() >= due:
                self.process.check()
                self.tick()
                due = time.monotonic() + VALID_PERIOD
            wait = begun + number / RATES.get(topic, RATE) - time.monotonic()
            time.sleep(max(0.0, wait))
        time.sleep(0.3)  # until what was sent here has been heard here as well
        self._ignored = ""
        report.recovery = self.recover(RECOVERY)
        report.memory = (report.memory[0], self._memory())
        values = self._input_values(topic)
        report.received, report.refused = values
        return report

    def tick(self):
        """Send a valid message on each input."""
        for topic, make in self._target.makers.items():
            self._send(topic, self._stamped(make()))

    def recover(self, longest):
        """Send valid messages until they give a result; returns how long that took [s].

        Raises:
            AssertionError: if they do not, within ``longest`` [s].
        """
        begun, begun_ns = time.monotonic(), time.time_ns()
        while True:
            self.tick()
            self.process.check()
            time.sleep(0.04)
            with self._lock:
                stamp, arrival = self._result
            if stamp >= begun_ns:
                return arrival - begun
            waited = time.monotonic() - begun
            assert waited < longest, f"no result for {longest:g} s\n{self.process.log()}"

    def _send(self, topic, msg):
        with self._lock:
            self.check.note_sent(topic, msg)
        self._publishers[topic].publish(msg)

    def _stamped(self, msg):
        if hasattr(msg, "header"):
            msg.header.stamp = self._node.get_clock().now().to_msg()
        return msg

    def _listen(self):
        self._ignored, check = "", self.check
        takers = {
            "cones": (ConeArray, check.cones),
            "detections": (ConeDetectionArray, check.detections),
            "segmentation": (ScanSegmentation, check.segmentation),
            "cone_markers": (MarkerArray, lambda msg: check.finite("cone_markers", msg)),
            "cone_points": (PointCloud2, lambda msg: None),
        }
        if self._is_driver:
            takers = {
                "cmd_vel": (Twist, check.command),
                "lane": (PathMsg, lambda msg: check.finite("lane", msg)),
            }
        for topic, (msgtype, take) in takers.items():
            self._node.create_subscription(msgtype, topic, self._taker(topic, take), 100)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)

    def _taker(self, topic, take):
        def taken(msg):
            with self._lock:
                if topic == self._ignored:
                    return  # the odd messages of this program itself
                take(msg)
                if topic == "cones" and msg.camera_used and msg.lidar_used:
                    self._result = (stamp_ns(msg.header.stamp), time.monotonic())
                if topic == "cmd_vel" and msg.linear.x > 0:
                    self._result = (time.time_ns(), time.monotonic())

        return taken

    def _on_diagnostics(self, msg):
        with self._lock:
            for status in msg.status:
                self._values[status.name] = {pair.key: pair.value for pair in status.values}

    def _input_values(self, topic):
        """Messages received and refused, as the node that has this input says."""
        wanted = f"input /{topic.lstrip('/')}"
        with self._lock:
            found = [v for name, v in self._values.items() if name.endswith(wanted)]
        received = sum(int(values.get("received", 0)) for values in found)
        return received, sum(int(values.get("refused", 0)) for values in found)

    def _memory(self):
        """Resident memory of the process [MB]."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _spin(self):
        while not self._is_done.is_set():
            self._executor.spin_once(0.05)
