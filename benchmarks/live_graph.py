"""Latency and endurance of the live graph against the bare forward of its detector engine.

``python benchmarks/live_graph.py`` plays a simulated drive (1280x720 raw images at 15 Hz, LiDAR
at 40 Hz) in lockstep. ``--minutes 10`` plays it on in real time afterwards, and shows whether
latency or memory grow. Arrival is when the image reaches the camera node's callback.
"""

import argparse
import itertools
import json
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.decode import image_from_msg, read_header
from conegrad_data.recording.headers import has_header
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.parameters.chosen_parameters import settings
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output, decoded
from conegrad_nodes.playback.perceive import (
    PerceiveOptions,
    answer_topics,
    graph_inputs,
    graph_parameters,
    input_roles,
    output_topics,
)
from conegrad_nodes.playback.player import PlayConfig, Player
from conegrad_nodes.playback.this_machine import on_this_machine
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track

NANOSECONDS = 1_000_000_000
CAMERA_RATE = 15.0  # [Hz]
FIRST = 3  # pairs that do not count: the player pauses at the first message of each input
FORWARDS = 60  # of the bare engine, before and after the live part
FORWARD_TARGET, LIDAR_TARGET, FUSION_TARGET = 1.25, 5.0, 8.0  # ratio, [ms], [ms]


@dataclass
class Times:
    """What was received: receive time of each output [s], and the nodes' own latencies [s]."""

    detections: dict[int, float] = field(default_factory=dict)  # by stamp of the image
    cones: dict[int, float] = field(default_factory=dict)  # likewise
    camera: list[float] = field(default_factory=list)  # in the order of the detections
    lidar: list[float] = field(default_factory=list)
    fusion: list[float] = field(default_factory=list)

    def receive(self, output: Output) -> None:
        """Take one output of the graph."""
        node, _, name = output.topic.lstrip("/").rpartition("/")
        if name == "processing_latency":
            series = {"camera_node": self.camera, "lidar_node": self.lidar}
            series.get(node, self.fusion).append(float(decoded(output).data))
        elif name == "detections":
            self.detections[read_header(output.data).stamp_ns] = output.arrival
        elif name == "cones":
            stamp = decoded(output).camera_stamp
            self.cones[stamp.sec * NANOSECONDS + stamp.nanosec] = output.arrival

    def arrival_to_cones(self) -> list[float]:
        """From the arrival of each image to its cones [s].

        The camera node tells how long it took until its detections were there, the fusion node how
        long it took from the last input of a pair to its cones. Where the scan came last, its wait
        shows in the time between receiving detections and cones.
        """
        camera = dict(zip(self.detections, self.camera, strict=False))
        fusion = zip(self.cones.items(), self.fusion, strict=False)
        return [
            camera[stamp] + max(processing, received - self.detections[stamp])
            for (stamp, received), processing in fusion
            if stamp in camera
        ]


class LiveRun:
    """The graph in its process, and a player; use it in a ``with`` statement."""

    def __init__(self, bag: BagReader, rate: float, parameters: dict[str, Any]) -> None:
        self._stack = ExitStack()
        options = PerceiveOptions(play=PlayConfig(rate=rate), parameters=parameters)
        roles = input_roles(bag, {})
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._stack.enter_context(on_this_machine(folder))
        domain = self._stack.enter_context(own_domain())
        chosen = graph_parameters(bag, roles, options, folder)
        self.process = self._stack.enter_context(GraphProcess(domain, chosen))
        inputs = graph_inputs(bag, roles)
        published = {entry.topic: entry.msgtype for entry in inputs.values()}
        outputs = output_topics(options.hosts)
        link = self._stack.enter_context(GraphLink(domain, published, outputs, self._hear))
        answers = answer_topics(options.hosts)
        self.player = Player(link, self.process, inputs, options.play, "camera", answers)
        self.times = Times()

    def __enter__(self) -> "LiveRun":
        self.player.wait_until_active()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def memory(self) -> float:
        """Resident memory of the graph [MB]."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return float("nan")

    def _hear(self, output: Output) -> None:
        self.player.receive(output)
        self.times.receive(output)


@torch.inference_mode()
def bare_forwards(bag: BagReader, parameters: dict[str, Any]) -> list[float]:
    """Times of the engine alone on the letterboxed images of the bag [s]."""
    torch.set_num_threads(1)
    detector = load_detector(settings(DetectorConfig, parameters, "detector"))
    topic = input_roles(bag, {})["image"]
    images = [image_from_msg(msg) for _, _, msg in itertools.islice(bag.messages([topic]), 8)]
    pixels = [detector.letterbox(image).apply(image) for image in images]
    times = []
    for index in range(10 + FORWARDS):
        start = time.perf_counter()
        raw = detector.engine.infer([pixels[index % len(pixels)]])
        raw.logits.cpu()  # waits for a GPU
        times.append(time.perf_counter() - start)
    return times[10:]


def looped(bag: BagReader, seconds: float) -> Iterator[RawMessage]:
    """The bag again and again, with stamps and receive times that run on."""
    stamped = {name for name, topic in bag.topics.items() if has_header(bag, topic.msgtype)}
    period = bag.end_ns - bag.start_ns + NANOSECONDS // 40
    messages = list(bag.raw_messages([name for name in bag.topics if name != "/truth"]))
    shift = 0
    while True:
        for raw in messages:
            if raw.receive_ns + shift - bag.start_ns > seconds * NANOSECONDS:
                return
            data = bytearray(raw.data)
            if raw.topic in stamped:
                stamp_ns = read_header(raw.data).stamp_ns + shift
                struct.pack_into("<iI", data, 4, *divmod(stamp_ns, NANOSECONDS))
            yield raw._replace(receive_ns=raw.receive_ns + shift, data=bytes(data))
        shift += period


def milliseconds(times: list[float]) -> dict[str, float]:
    """Percentiles [ms]."""
    if not times:
        return {}
    p50, p95, p99 = np.percentile(np.array(times) * 1e3, [50, 95, 99]).round(2).tolist()
    return {"median": p50, "p95": p95, "p99": p99}


def lockstep(bag: BagReader, parameters: dict[str, Any]) -> dict[str, Any]:
    """Latencies in lockstep, and losses."""
    forwards = bare_forwards(bag, parameters)
    messages = list(bag.raw_messages())  # unpacking would take time from the graph
    with LiveRun(bag, 0.0, parameters) as run:
        for raw in messages:
            run.player.play(raw)
        run.player.finish()
        tracker, times = run.player.tracker, run.times
    forwards += bare_forwards(bag, parameters)
    total = times.arrival_to_cones()[FIRST:]
    forward = statistics.median(forwards)
    return {
        "images": tracker.images.counts()._asdict(),
        "scans": tracker.scans.counts()._asdict(),
        "cones": tracker.fusions.counts()._asdict(),
        "bare forward [ms]": milliseconds(forwards),
        "image arrival to cones [ms]": milliseconds(total),
        "ratio of medians": round(statistics.median(total) / forward, 3),
        "beside the forward [ms]": round(1e3 * (statistics.median(total) - forward), 2),
        "camera node [ms]": milliseconds(times.camera),
        "LiDAR node [ms]": milliseconds(times.lidar),
        "fusion node [ms]": milliseconds(times.fusion[FIRST:]),
        "published to cones received [ms]": milliseconds(tracker.fusions.latencies[FIRST:]),
    }


def sustained(bag: BagReader, parameters: dict[str, Any], minutes: float) -> dict[str, Any]:
    """Real-time play: latency, memory and losses of each minute."""
    rows = []
    with LiveRun(bag, 1.0, parameters) as run:
        minute, seen, samples = 0, 0, [run.memory()]
        start = time.perf_counter()
        for raw in looped(bag, 60 * minutes):
            run.player.play(raw)
            if raw.topic.endswith("camera_info"):
                samples.append(run.memory())
            if time.perf_counter() - start < 60 * (minute + 1):
                continue
            fresh = run.player.tracker.fusions.latencies[seen:]
            rows.append(_minute(minute + 1, fresh, samples))
            print(json.dumps(rows[-1]), flush=True)
            minute, seen, samples = minute + 1, seen + len(fresh), []
        run.player.finish()
        tracker, times = run.player.tracker, run.times
    return {
        "minutes": rows,
        "image arrival to cones [ms]": milliseconds(times.arrival_to_cones()),
        "LiDAR node [ms]": milliseconds(times.lidar),
        "fusion node [ms]": milliseconds(times.fusion),
        "images": tracker.images.counts()._asdict(),
        "scans": tracker.scans.counts()._asdict(),
        "cones": tracker.fusions.counts()._asdict(),
        "published to cones received [ms]": milliseconds(tracker.fusions.latencies),
        "growth of memory after minute 1 [MB/min]": _slope([row["memory [MB]"] for row in rows]),
        "growth of median latency after minute 1 [ms/min]": _slope(
            [row["latency [ms]"].get("median", float("nan")) for row in rows]
        ),
    }


def _minute(number: int, latencies: list[float], samples: list[float]) -> dict[str, Any]:
    return {
        "minute": number,
        "latency [ms]": milliseconds(latencies),
        "memory [MB]": round(statistics.median(samples), 1),
        "cones": len(latencies),
    }


def _slope(values: list[float]) -> float | None:
    if len(values) < 3:
        return None
    rest = np.array(values[1:])
    return round(float(np.polyfit(np.arange(len(rest)), rest, 1)[0]), 3)


def simulated_drive(folder: Path, seconds: float) -> Path:
    """A drive with raw images, written into a folder."""
    vehicle = load_vehicle("formula_student")
    config = BagConfig(seconds=seconds, seed=2027, camera_rate=CAMERA_RATE, quality=0)
    track = make_track("random", 2027, vehicle)
    return simulate_bag(folder / "drive", track, vehicle, DriveConfig(), config, workers=2).path


def _verdict(result: dict[str, Any]) -> list[str]:
    checks = (
        ("image arrival to cones / bare forward", result["ratio of medians"], FORWARD_TARGET),
        ("LiDAR node median [ms]", result["LiDAR node [ms]"]["median"], LIDAR_TARGET),
        ("fusion node median [ms]", result["fusion node [ms]"]["median"], FUSION_TARGET),
        ("lost in lockstep", result["cones"]["lost"] + result["scans"]["lost"], 0),
    )
    return [
        f"{'ok  ' if value <= limit else 'MISS'} {name}: {value} (target <= {limit})"
        for name, value, limit in checks
    ]


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bag", type=Path, default=None, help="default: simulate one")
    parser.add_argument("--seconds", type=float, default=12.0, help="of the simulated drive")
    parser.add_argument("--minutes", type=float, default=0.0, help="of real-time play afterwards")
    parser.add_argument("--engine", default="auto", help="of the detector")
    parser.add_argument("--device", default="cpu", help="of the detector: cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="of the detector; 0: its choice")
    parser.add_argument("--precision", default="auto", help="of the detector")
    parser.add_argument("--weights", default="", help="of the detector, or its exported file")
    options = parser.parse_args()
    parameters = {
        "detector.engine": options.engine,
        "detector.device": options.device,
        "detector.threads": options.threads,
        "detector.precision": options.precision,
        "detector.weights": options.weights,
    }
    with tempfile.TemporaryDirectory(prefix="conegrad-") as folder:
        path = options.bag or simulated_drive(Path(folder), options.seconds)
        with BagReader(path) as bag:
            result = lockstep(bag, parameters)
            print(json.dumps(result, indent=2), flush=True)
            print("\n".join(_verdict(result)), flush=True)
            if options.minutes:
                print(json.dumps(sustained(bag, parameters, options.minutes), indent=2))


if __name__ == "__main__":
    main()
