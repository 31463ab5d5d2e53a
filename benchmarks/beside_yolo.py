"""From a published image to fused cones, beside Ultralytics and yolo_ros to boxes alone.

``python benchmarks/beside_yolo.py --int8 EXPORT`` plays one simulated drive (raw 1280x720 images at
15 Hz, LiDAR at 40 Hz) in real time, in turns, through

- ConeGrad: camera, LiDAR and fusion with the default engine, to cones,
- the same with the detector of an int8 export (``conegrad export --precision int8``),
- a node around a plain Ultralytics call with the same weights (ultralytics_node.py), to boxes,
- yolo_ros with the same weights, to boxes, where it is installed,

and calls Ultralytics without ROS on the same images. Times are from publishing to receiving.
"""

import argparse
import itertools
import json
import os
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from live_graph import LiveRun, milliseconds, simulated_drive

from conegrad_core.camera.checkpoint import load_network
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.weights import default_weights
from conegrad_data.bags.reader import BagReader
from conegrad_data.decode import image_from_msg, read_header
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output
from conegrad_nodes.playback.perceive import graph_inputs, input_roles
from conegrad_nodes.playback.this_machine import on_this_machine

NANOSECONDS = 1_000_000_000
WARM_UP = 10  # first images of each turn, which do not count
START_TIMEOUT = 120.0  # [s]
INPUT_SIZE = (384, 640)
STAND_IN = ("ultralytics_node", "conegrad_msgs/msg/ConeDetectionArray")
YOLO_ROS = ("yolo_ros.yolo_node", "yolo_msgs/msg/DetectionArray")


def ultralytics_model(folder: Path) -> Path:
    """A .pt file of Ultralytics with the weights that ship."""
    from ultralytics import YOLO

    model = YOLO("yolov5n.yaml", verbose=False)
    model.model = load_network(default_weights("camera")).network
    model.model.names = dict(enumerate(CLASS_NAMES))
    path = folder / "cones.pt"
    model.save(path)
    return path


def conegrad(bag: BagReader, parameters: dict[str, Any]) -> list[float]:
    """Times to the fused cones [s]."""
    messages = list(bag.raw_messages())
    with LiveRun(bag, 1.0, parameters) as run:
        for raw in messages:
            run.player.play(raw)
        run.player.finish()
        return run.player.tracker.fusions.latencies[WARM_UP:]


def boxes_of_node(bag: BagReader, module: str, answer: str, model: Path) -> list[float]:
    """Times to the boxes of another node [s]."""
    roles = input_roles(bag, {})
    inputs = graph_inputs(bag, roles)
    image = inputs[roles["image"]].topic
    sent: dict[int, float] = {}
    times: list[float] = []

    def receive(output: Output) -> None:
        start = sent.pop(read_header(output.data).stamp_ns, None)
        if start is not None:
            times.append(output.arrival - start)

    messages = [raw for raw in bag.raw_messages() if raw.topic in inputs]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(on_this_machine(folder))
        domain = stack.enter_context(own_domain())
        given = {"model": str(model), "device": "cpu", "imgsz_height": 384, "imgsz_width": 640}
        process = stack.enter_context(GraphProcess(domain, given, module=module))
        published = {entry.topic: entry.msgtype for entry in inputs.values()}
        link = stack.enter_context(GraphLink(domain, published, {"/detections": answer}, receive))
        if not link.wait(lambda: link.subscribers(image) > 0, START_TIMEOUT, process.check):
            raise SystemExit(f"{module} did not subscribe to {image}")
        link.wait(lambda: False, 1.0, process.check)
        begun, first = time.perf_counter(), messages[0].receive_ns
        for raw in messages:
            due = begun + (raw.receive_ns - first) / NANOSECONDS
            link.wait(lambda: False, max(0.0, due - time.perf_counter()), process.check)
            topic = inputs[raw.topic].topic
            if topic == image:
                sent[read_header(raw.data).stamp_ns] = time.perf_counter()
            link.publish(topic, raw.data)
        link.wait(lambda: not sent, 2.0, process.check)
    return times[WARM_UP:]


def plain_calls(bag: BagReader, model: Path) -> list[float]:
    """Times of ``YOLO.predict`` without ROS [s]."""
    from ultralytics import YOLO

    yolo, times = YOLO(model), []
    topic = input_roles(bag, {})["image"]
    for _, _, msg in itertools.islice(bag.messages([topic]), 40):
        image = image_from_msg(msg)[..., ::-1].copy()
        start = time.perf_counter()
        yolo.predict(image, imgsz=INPUT_SIZE, device="cpu", verbose=False)
        times.append(time.perf_counter() - start)
    return times[WARM_UP:]


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bag", type=Path, default=None, help="default: simulate one")
    parser.add_argument("--seconds", type=float, default=6.0, help="of the simulated drive")
    parser.add_argument("--int8", type=Path, help="folder of an exported system")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="conegrad-") as folder:
        path = options.bag or simulated_drive(Path(folder), options.seconds)
        model = ultralytics_model(Path(folder))
        with BagReader(path) as bag:
            for _ in range(options.rounds):
                found.setdefault("ConeGrad, default", []).extend(conegrad(bag, {}))
                if options.int8:
                    parameters = {"pipeline": str(options.int8)}
                    found.setdefault("ConeGrad, int8", []).extend(conegrad(bag, parameters))
                found.setdefault("Ultralytics, no ROS", []).extend(plain_calls(bag, model))
                others = {"Ultralytics node": STAND_IN}
                if find_spec("yolo_ros") is not None:
                    others["yolo_ros"] = YOLO_ROS
                for name, node in others.items():
                    found.setdefault(name, []).extend(boxes_of_node(bag, *node, model))
    if "yolo_ros" not in found:
        print("yolo_ros: skipped, the package is not installed")
    ours = milliseconds(found["ConeGrad, default"])
    for name, times in found.items():
        figures = milliseconds(times)
        ratios = {q: round(figures[q] / ours[q], 2) for q in ("median", "p95")}
        print(f"{name}: {json.dumps(figures)}, against ConeGrad {ratios}, {len(times)} images")


if __name__ == "__main__":
    main()
