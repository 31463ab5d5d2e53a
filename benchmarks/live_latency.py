"""Latency of the live graph: all nodes in one process, sensors at their own rates.

``python benchmarks/live_latency.py [--set detector.threads=1] [--seconds 15]`` plays simulated
images (15 Hz) and scans (40 Hz) in real time over DDS, and prints percentiles in milliseconds of
the processing of each node, and of image to cones, while both sensors contend for the cores
(``live_graph.py`` plays in lockstep, where they do not).
"""

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import yaml
from conegrad_msgs.msg import ConeArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image, LaserScan
from std_msgs.msg import Float64

from conegrad_core.vehicle import load_vehicle
from conegrad_nodes.playback.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.transport import large_messages
from conegrad_simulation.sampler import Frame, sample_frame

VEHICLE = "formula_student"
FRAMES = 12  # different ones that are played in turn
NODES = ("camera_node", "lidar_node", "fusion_node")
WARM_UP = 3.0  # [s] after the first cones
START_TIMEOUT = 120.0  # [s]


class Sensors(Node):
    """Publishes images and scans, collects latencies."""

    def __init__(self, frames: list[Frame], context: rclpy.Context) -> None:
        super().__init__("sensors", context=context)
        lidar = load_vehicle(VEHICLE).lidar
        self._images = [_image(frame) for frame in frames]
        self._scans = [_scan(frame, lidar.range_min, lidar.range_max) for frame in frames]
        self._image_topic = self.create_publisher(Image, "image_raw", 1)
        self._scan_topic = self.create_publisher(LaserScan, "scan", 1)
        self._counts = {"image": 0, "scan": 0}
        self.figures: dict[str, list[float]] = {}
        for name in NODES:
            for kind in ("processing_latency", "pipeline_latency"):
                self.create_subscription(Float64, f"{name}/{kind}", self._noting(name, kind), 10)
        self.create_subscription(ConeArray, "cones", lambda _: self._note("cones", 0.0), 10)
        self.create_timer(1 / 15, lambda: self._send("image", self._images, self._image_topic))
        self.create_timer(1 / 40, lambda: self._send("scan", self._scans, self._scan_topic))

    def _send(self, kind: str, messages: list[Any], topic: Any) -> None:
        msg = messages[self._counts[kind] % len(messages)]
        self._counts[kind] += 1
        msg.header.stamp = self.get_clock().now().to_msg()
        topic.publish(msg)

    def _noting(self, name: str, kind: str) -> Any:
        return lambda msg: self._note(f"{name} {kind.split('_')[0]}", msg.data)

    def _note(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append(1e3 * value)


def _image(frame: Frame) -> Image:
    pixels = frame.sample.image
    height, width = pixels.shape[:2]
    msg = Image(height=height, width=width, encoding="rgb8", step=3 * width)
    msg.data.frombytes(pixels.tobytes())
    msg.header.frame_id = "camera_optical"
    return msg


def _scan(frame: Frame, range_min: float, range_max: float) -> LaserScan:
    angles = np.asarray(frame.angles, dtype=np.float64)
    msg = LaserScan(range_min=range_min, range_max=range_max)
    msg.angle_min = float(angles[0])
    msg.angle_max = float(angles[-1])
    msg.angle_increment = float(angles[-1] - angles[0]) / (len(angles) - 1)
    msg.ranges.frombytes(np.asarray(frame.ranges, dtype=np.float32).tobytes())
    msg.header.frame_id = "lidar"
    return msg


def measure(parameters: dict[str, Any], seconds: float) -> dict[str, dict[str, float]]:
    """Percentiles of every latency of one run [ms], after the graph is warm."""
    vehicle = load_vehicle(VEHICLE)
    size = (vehicle.camera.width, vehicle.camera.height)
    frames = [sample_frame(seed, vehicle, "varied", size) for seed in range(FRAMES)]
    vehicles = {"calibration.intrinsics": "vehicle", "calibration.extrinsics": "vehicle"}
    vehicles["calibration.vehicle"] = VEHICLE
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(large_messages(folder))
        domain = stack.enter_context(own_domain())
        stack.enter_context(GraphProcess(domain, {**vehicles, **parameters}))
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        executor = SingleThreadedExecutor(context=context)
        node = Sensors(frames, context)
        executor.add_node(node)
        try:
            _spin(executor, lambda: "cones" in node.figures, START_TIMEOUT)
            _spin(executor, lambda: False, WARM_UP)
            node.figures.clear()
            _spin(executor, lambda: False, seconds)
        finally:
            executor.shutdown()
            rclpy.try_shutdown(context=context)
    return {name: _percentiles(values) for name, values in sorted(node.figures.items())}


def _spin(executor: Any, is_done: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_done():
        executor.spin_once(timeout_sec=0.1)


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p90, p99 = np.percentile(values, (50, 90, 99))
    return {"p50": p50, "p90": p90, "p99": p99, "count": len(values)}


def main() -> None:
    """Print one line per latency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", nargs="*", default=[], help="parameters as NAME=VALUE")
    parser.add_argument("--seconds", type=float, default=15.0, help="time that is measured")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    parameters = {}
    for setting in options.set:
        name, _, value = setting.partition("=")
        parameters[name] = yaml.safe_load(value)
    figures = measure(parameters, options.seconds)
    for name, row in figures.items():
        text = ", ".join(f"{key} {value:.2f} ms" for key, value in row.items() if key != "count")
        print(f"{name:24} {text} ({row['count']} messages)")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
