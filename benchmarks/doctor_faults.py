"""Faults planted in a running graph and in an installation: does ``conegrad doctor`` name each?

``python benchmarks/doctor_faults.py DRIVE`` plays a recorded drive in a loop, stamped with the time
of this machine, to the nodes of the perception, examines that graph once as it is and once with
each fault, and does the same with the environment and the files of the installation. A fault counts
as found where a finding of level WARN or ERROR has the expected words, and a remedy. It prints a
table; the exit code is 1 where a fault is missed, or anything is found in the healthy graph.

    conegrad simulate -o drive --seed 12 --seconds 12 --camera-rate 10
    conegrad simulate -o clouds --seed 12 --seconds 12 --camera-rate 10 --lidar os1-64
    python benchmarks/doctor_faults.py drive --clouds clouds
"""

import argparse
import contextlib
import importlib.util
import math
import os
import re
import shutil
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import rclpy
import torch
import yaml
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from conegrad_core.geometry.transforms import (
    mounting_matrix,
    quaternion_from_rotation,
    rotation_from_quaternion,
)
from conegrad_core.weights import WEIGHTS_FOLDER
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor import installation
from conegrad_nodes.doctor.examination import examine_installation, examine_running_graph
from conegrad_nodes.doctor.finding import Finding
from conegrad_nodes.doctor.middleware_checks import examine_middleware
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import message_class
from conegrad_nodes.playback.perceive import PerceiveOptions, check_bag, graph_inputs
from conegrad_nodes.playback.this_machine import on_this_machine

SECOND = 1_000_000_000  # [ns]
WARM_UP = 12.0  # [s] of messages before the graph is examined
LISTEN = 6.0  # [s]
STAMP = struct.Struct("<iI")  # seconds and nanoseconds, behind the four bytes of the encapsulation


@dataclass
class Fault:
    """A fault of a graph.

    Attributes:
        words: that a finding must have.
        drop: roles that nobody publishes.
        silent: roles whose publisher sends nothing.
        doubled: roles with a second publisher.
        every: of a role, only every n-th message is sent.
        delay: of a role, subtracted from its stamps [s].
        reliability: of a role, what its publisher offers.
        retyped: topics that get a publisher of another type.
        parameters: of the nodes, in place of those that fit.
        twin: a second node has this name.
        turn: of the camera, that its calibration does not know: yaw and pitch [degrees].
    """

    words: str
    drop: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    every: dict[str, int] = field(default_factory=dict)
    delay: dict[str, float] = field(default_factory=dict)
    reliability: dict[str, ReliabilityPolicy] = field(default_factory=dict)
    retyped: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    twin: str = ""
    turn: tuple[float, float] = (0.0, 0.0)


GRAPH_FAULTS = {
    "healthy graph": Fault(""),
    "camera driver not started": Fault("image_raw.* has no publisher", drop=("image",)),
    "LiDAR driver silent": Fault("/scan is silent", silent=("scan",)),
    "two LiDAR drivers on one topic": Fault("/scan has 2 publishers", doubled=("scan",)),
    "another type on the topic": Fault("/scan has the types", retyped=("scan",)),
    "camera_info missing": Fault("camera_info", drop=("camera_info",)),
    "odometry missing": Fault("no odometry", drop=("odom",)),
    "camera at 2 Hz": Fault(r"comes at \d\.\d Hz, expected", every={"image": 5}),
    "clock of the LiDAR 3 s behind": Fault("apart", delay={"scan": 3.0}),
    "camera stamped 0.3 s late": Fault("apart", delay={"image": 0.3}),
    "camera turned by 2.5 degrees": Fault("further right", turn=(2.5, 0.0)),
    "camera tilted by 2 degrees": Fault("higher", turn=(0.0, 2.0)),
    "reliable asked, best effort offered": Fault(
        "gets nothing of", reliability={"scan": ReliabilityPolicy.BEST_EFFORT},
        parameters={"reliability": "reliable"},
    ),
    "no extrinsics": Fault("no extrinsics", parameters={"calibration.extrinsics": "tf"}),
    "weights missing": Fault("weights", parameters={"detector.weights": "gone.safetensors"}),
    "two nodes of one name": Fault("2 nodes are called", twin="fusion_node"),
}  # fmt: skip


CLOUD_FAULTS = {  # of a drive with a 3-D LiDAR
    "healthy graph of clouds": Fault(""),
    "own car in the clouds": Fault("leave returns of it", parameters={"reduction.find_car": False}),
    "outline of the car too small": Fault(
        "leave returns of it", parameters={"reduction.car_outline": "0.3 -0.1; 0.6 -0.1; 0.6 0.1"}
    ),
}


class Drivers(threading.Thread):
    """Plays a drive in a loop with stamps of now, with a fault."""

    def __init__(self, domain: int, bag: BagReader, roles: dict[str, str], fault: Fault) -> None:
        super().__init__(daemon=True)
        self._fault, self._role_of = fault, {topic: role for role, topic in roles.items()}
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = Node("drivers", context=self._context, use_global_arguments=False)
        self._messages = list(bag.raw_messages(list(self._role_of)))
        self._topics = {name: entry.topic for name, entry in graph_inputs(bag, roles).items()}
        self._publishers: dict[str, list[Any]] = {}
        for topic, role in self._role_of.items():
            if role not in fault.drop:
                count = 2 if role in fault.doubled else 1
                msgtype = message_class(bag.topics[topic].msgtype)
                self._publishers[topic] = [self._publisher(msgtype, topic) for _ in range(count)]
        self._twin = Node(fault.twin, context=self._context) if fault.twin else None
        self._stranger = rclpy.Context()  # a participant has one type for a topic
        rclpy.init(context=self._stranger, domain_id=domain)
        self._retyped = Node("stranger", context=self._stranger, use_global_arguments=False)
        for topic in (self._topics[topic] for topic in roles.values()):
            if topic.strip("/") in fault.retyped:
                self._retyped.create_publisher(String, topic, 5)
        self._ends = threading.Event()
        self._counts: Counter[str] = Counter()

    def _publisher(self, msgtype: Any, topic: str) -> Any:
        reliability = self._fault.reliability.get(self._role_of[topic], ReliabilityPolicy.RELIABLE)
        qos = QoSProfile(depth=5, reliability=reliability)
        return self._node.create_publisher(msgtype, self._topics[topic], qos)

    def run(self) -> None:
        """Send until it is stopped."""
        first = self._messages[0].receive_ns
        span = self._messages[-1].receive_ns - first + SECOND // 20
        begun, rounds = time.time_ns(), 0
        while not self._ends.is_set():
            for raw in self._messages:
                due = begun + rounds * span + raw.receive_ns - first
                if self._ends.wait(max(0.0, (due - time.time_ns()) / SECOND)):
                    return
                self._send(raw, due)
            rounds += 1

    def _send(self, raw: RawMessage, due: int) -> None:
        role, publishers = self._role_of[raw.topic], self._publishers.get(raw.topic, [])
        if role in self._fault.silent or not publishers:
            return
        self._counts[role] += 1
        if self._counts[role] % self._fault.every.get(role, 1):
            return
        stamp = due - round(self._fault.delay.get(role, 0.0) * SECOND)
        data = bytearray(raw.data)
        STAMP.pack_into(data, 4, *divmod(stamp, SECOND))
        publishers[self._counts[role] % len(publishers)].publish(bytes(data))

    def stop(self) -> None:
        """End, and leave the graph."""
        self._ends.set()
        self.join()
        for node in (self._node, self._twin, self._retyped):
            if node is not None:
                node.destroy_node()
        for context in (self._context, self._stranger):
            rclpy.try_shutdown(context=context)


@contextlib.contextmanager
def running(path: Path, fault: Fault) -> Iterator[int]:
    """The perception with its drivers; gives the domain."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bag = stack.enter_context(BagReader(path))
        options = PerceiveOptions()
        found = check_bag(bag, options, folder)
        parameters = {
            name: value
            for name, value in found.parameters.items()
            if name.startswith(("calibration.", "image_transport", "input"))
        }
        turn_camera(Path(parameters["calibration.file"]), *fault.turn)
        parameters |= {"autostart": True, **fault.parameters}
        if parameters["calibration.extrinsics"] == "tf":
            del parameters["calibration.file"]
        stack.enter_context(on_this_machine(folder))
        domain = stack.enter_context(own_domain())
        process = stack.enter_context(GraphProcess(domain, parameters))
        drivers = Drivers(domain, bag, dict(found.roles), fault)
        drivers.start()
        stack.callback(drivers.stop)
        time.sleep(WARM_UP)
        process.check()
        yield domain


def turn_camera(path: Path, yaw: float, pitch: float) -> None:
    """State angles [degrees] in a calibration file by which the camera is not turned."""
    content = yaml.safe_load(path.read_text())
    for frame in content["frames"]:
        if frame["parent"] == "base_link" and "camera" in frame["child"]:
            rotation = rotation_from_quaternion(torch.tensor(frame["quaternion"]))
            turn = mounting_matrix(torch.zeros(3), 0.0, math.radians(pitch), math.radians(yaw))
            quaternion = quaternion_from_rotation(turn[:3, :3].to(rotation) @ rotation)
            frame["quaternion"] = quaternion.tolist()
    path.write_text(yaml.safe_dump(content))


def changed_weights(folder: Path) -> list[Finding]:
    """Findings about weights of which one byte differs."""
    copy = folder / "weights"
    shutil.copytree(WEIGHTS_FOLDER, copy)
    path = copy / "scan_cnn.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return list(installation.examine_weights(copy))


def missing_engine(folder: Path) -> list[Finding]:
    """Findings about an installation without OpenVINO."""
    found = importlib.util.find_spec
    without = mock.patch.object(
        importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name)
    )
    with without:
        return list(installation.examine_packages())


def small_profile(folder: Path) -> list[Finding]:
    """Findings about a profile of Fast DDS with little shared memory."""
    path = folder / "profile.xml"
    path.write_text("<dds><segment_size>65536</segment_size></dds>")
    return _with_environment(FASTRTPS_DEFAULT_PROFILES_FILE=str(path))


def _with_environment(**variables: str) -> list[Finding]:
    with mock.patch.dict(os.environ, variables):
        return list(examine_middleware())


def power_saving(folder: Path) -> list[Finding]:
    """Findings about a processor that saves power."""
    path = folder / "scaling_governor"
    path.write_text("powersave\n")
    return list(installation.examine_governor(path))


def healthy_installation(folder: Path) -> list[Finding]:
    """Findings about this installation as it is."""
    return [*examine_installation()]


INSTALLATION_FAULTS: dict[str, tuple[str, Callable[[Path], list[Finding]]]] = {
    "healthy installation": ("", healthy_installation),
    "one byte of the weights differs": ("not the file of its card", changed_weights),
    "engine not installed": ("openvino is not installed", missing_engine),
    "little shared memory": ("65536 bytes of shared memory", small_profile),
    "discovery is off": (
        "keeps the processes",
        lambda _: _with_environment(ROS_AUTOMATIC_DISCOVERY_RANGE="OFF"),
    ),
    "domain 200": ("ROS_DOMAIN_ID is '200'", lambda _: _with_environment(ROS_DOMAIN_ID="200")),
    "another middleware": (
        "RMW_IMPLEMENTATION=rmw_other",
        lambda _: _with_environment(RMW_IMPLEMENTATION="rmw_other_cpp"),
    ),
    "disk nearly full": ("expected", lambda _: list(installation.examine_disk(2**60))),
    "processor saves power": ("lowest clock", power_saving),
}


def is_found(words: str, findings: list[Finding]) -> bool:
    """Whether a fault is named with a remedy; of what is healthy, whether nothing is."""
    troubles = [finding for finding in findings if finding.level > Level.OK]
    if not words:
        return not troubles
    return any(re.search(words, finding.text) and finding.remedy for finding in troubles)


def main() -> int:
    """Plant each fault, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drive", type=Path, help="recorded by conegrad simulate")
    parser.add_argument("--clouds", type=Path, help="likewise, with --lidar: faults of clouds, too")
    parser.add_argument("--only", nargs="+", metavar="FAULT", help="names of the table")
    options = parser.parse_args()
    missed = count = 0
    print("| fault | found | first finding |\n|---|---|---|")
    for name, findings, words in every_fault(options.drive, options.clouds, options.only):
        good = is_found(words, findings)
        missed, count = missed + (not good), count + 1
        shown = [finding for finding in findings if finding.level > Level.OK]
        named = [finding for finding in shown if words and re.search(words, finding.text)]
        text = next((finding.text for finding in (*named, *shown)), "nothing")
        print(f"| {name} | {'yes' if good else '**no**'} | {text[:160]} |", flush=True)
    print(f"\n{count - missed} of {count} as expected")
    return int(missed > 0)


def every_fault(
    drive: Path, clouds: Path | None, only: list[str] | None
) -> Iterator[tuple[str, list[Finding], str]]:
    """Name, findings and expected words of each fault."""
    for name, (words, examine) in INSTALLATION_FAULTS.items():
        if only is None or name in only:
            with tempfile.TemporaryDirectory() as folder:
                yield name, examine(Path(folder)), words
    planted = [(drive, *each) for each in GRAPH_FAULTS.items()]
    planted += [(clouds, *each) for each in CLOUD_FAULTS.items()] if clouds else []
    for path, name, fault in planted:
        if only is None or name in only:
            with running(path, fault) as domain:
                yield name, list(examine_running_graph(LISTEN, domain=domain)), fault.words


if __name__ == "__main__":
    sys.exit(main())
