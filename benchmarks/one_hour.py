"""Endurance of the live graph: memory, descriptors and threads over an hour, and every image.

``python benchmarks/one_hour.py DRIVE -o FOLDER --hours 1 --camera-rate 2 --scan-rate 5`` plays a
drive in a loop to the perception (all nodes in one process), in real time, with the time of this
machine as stamps. Images and scans are thinned to the rates: choose those that the machine holds.
On a machine that computes other things meanwhile, results may come later than the pairing waits for
them: ``--set pairing.timeout=2.0`` lets it wait.

Every ten seconds it notes what Linux says of the process: memory of its own (RssAnon: pages of
libraries, which processes share, are not in it), resident memory, descriptors and threads. Images
count as lost where no cones come of them, and as overtaken where the camera node dropped them for a
newer one, or where cones come in another order than their images. FOLDER gets ``one_hour.json`` and
``one_hour.png``.

The slope of the memory is that of a line through all samples after the warm-up, with a 95 %
interval of a block bootstrap. What is in FOLDER is kept: a run that was stopped by Ctrl-C goes on
with the same command, in a new process whose memory begins anew, with a line of its own.

Targets: the memory grows by less than 1 MB/h, descriptors and threads stay as they are after the
warm-up, no image is lost or overtaken. The exit code is 1 where one is missed.
"""

import argparse
import json
import signal
import struct
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import yaml
from matplotlib import pyplot as plt

from conegrad_core.whole_file import write_whole
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.decode import read_header
from conegrad_evaluation.report.figure_style import ACCENT, MUTED, png_bytes, report_style
from conegrad_nodes.middleware.domain import own_domain
from conegrad_nodes.playback.graph_process import GraphProcess
from conegrad_nodes.playback.link import GraphLink, Output, decoded
from conegrad_nodes.playback.perceive import (
    DIAGNOSTICS,
    PerceiveOptions,
    check_bag,
    graph_inputs,
    output_topics,
)
from conegrad_nodes.playback.player import CONES, InputTopic, PlayConfig
from conegrad_nodes.playback.this_machine import on_this_machine

SECOND = 1_000_000_000  # [ns]
STAMP = struct.Struct("<iI")  # seconds and nanoseconds, behind the four bytes of the encapsulation
PERIOD = 10.0  # [s] between two samples
PATIENCE = 10.0  # [s] after which an image without cones is lost
START, SETTLE = 180.0, 0.5  # [s]
TARGET = 1.0  # [MB/h]
BLOCK, RESAMPLES = 12, 2000  # samples that are drawn together: two minutes; resamples
SAMPLES, COUNTS, RESULT, PICTURE = "samples.jsonl", "counts.jsonl", "one_hour.json", "one_hour.png"
KILOBYTES = 1000.0 / 1.024  # of 1024 bytes in a megabyte, by which Linux counts
GAUGES = ("own", "rss", "descriptors", "threads")

Floats = npt.NDArray[np.float64]


class Loop:
    """Messages of a drive again and again, thinned, with the time at which each is due.

    Args:
        bag: the drive.
        inputs: where its topics go.
        rates: of images and scans [Hz], by role; roles without one keep all messages.
    """

    def __init__(
        self, bag: BagReader, inputs: dict[str, InputTopic], rates: dict[str, float]
    ) -> None:
        self._bag, self._inputs = bag, inputs
        self._periods = {
            topic: SECOND / rates[entry.role]
            for topic, entry in inputs.items()
            if rates.get(entry.role)
        }

    def messages(self) -> Iterator[tuple[float, InputTopic, RawMessage]]:
        """Due time [s], where it goes, and the message."""
        length = self._bag.end_ns - self._bag.start_ns + SECOND // 20
        due_next: dict[str, float] = defaultdict(float)
        rounds = 0
        while True:
            for raw in self._bag.raw_messages(list(self._inputs)):
                since = raw.receive_ns - self._bag.start_ns + rounds * length
                if since < due_next[raw.topic] - 1e6:
                    continue
                period = self._periods.get(raw.topic, 0.0)
                late = since - due_next[raw.topic] > period  # the loop has a seam
                due_next[raw.topic] = (since if late else due_next[raw.topic]) + period
                yield since / SECOND, self._inputs[raw.topic], raw
            rounds += 1


class ImageCount:
    """What came of each image, by its stamp."""

    def __init__(self) -> None:
        self.sent = self.answered = self.lost = self.disordered = 0
        self.overtaken = 0  # as the camera node says
        self.troubles: Counter[str] = Counter()
        self.latencies: list[float] = []  # [s], of the latest period
        self._waiting: dict[int, float] = {}
        self._newest = 0

    def send(self, stamp_ns: int) -> None:
        """An image is published now."""
        self.sent += 1
        self._waiting[stamp_ns] = time.monotonic()

    def receive(self, output: Output) -> None:
        """Take an output of the graph."""
        if output.topic == CONES:
            stamp = decoded(output).camera_stamp
            self._answer(stamp.sec * SECOND + stamp.nanosec)
        elif output.topic in DIAGNOSTICS:
            for status in decoded(output).status:
                values = {entry.key: entry.value for entry in status.values}
                if "dropped" in values and status.name.startswith("camera_node:"):
                    self.overtaken = max(self.overtaken, int(values["dropped"]))
                if ord(status.level):
                    self.troubles[status.name] += 1

    def _answer(self, stamp_ns: int) -> None:
        sent = self._waiting.pop(stamp_ns, None)
        if sent is None:
            return  # cones of a scan alone
        self.answered += 1
        self.latencies.append(time.monotonic() - sent)
        self.disordered += stamp_ns < self._newest
        self._newest = max(self._newest, stamp_ns)

    def give_up(self, *, everything: bool = False) -> None:
        """Count images as lost that have waited for too long."""
        limit = time.monotonic() - (0.0 if everything else PATIENCE)
        for stamp in [stamp for stamp, sent in self._waiting.items() if sent <= limit]:
            del self._waiting[stamp]
            self.lost += 1

    def totals(self) -> dict[str, Any]:
        """All counts."""
        return {
            "sent": self.sent,
            "answered": self.answered,
            "lost": self.lost,
            "overtaken": self.overtaken,
            "out of order": self.disordered,
            "troubles": dict(self.troubles),
        }


def gauges(process: psutil.Process) -> dict[str, float]:
    """Memory [MB], descriptors and threads of a process."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {
        "own": int(fields["RssAnon"].split()[0]) / KILOBYTES,
        "rss": int(fields["VmRSS"].split()[0]) / KILOBYTES,
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
    }


def play(
    drive: Path,
    folder: Path,
    run: int,
    seconds: float,
    rates: dict[str, float],
    chosen: dict[str, Any],
) -> None:
    """Play for a time, and add what is seen to the files of the folder; Ctrl-C ends it."""
    images = ImageCount()
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bag = stack.enter_context(BagReader(drive))
        options = PerceiveOptions(play=PlayConfig(rate=1.0), parameters=chosen)
        found = check_bag(bag, options, temporary)
        found.enforce()
        stack.enter_context(on_this_machine(temporary))
        domain = stack.enter_context(own_domain())
        parameters = {**found.parameters, "use_sim_time": False}
        process = stack.enter_context(GraphProcess(domain, parameters))
        inputs = graph_inputs(bag, found.roles)
        outputs = {CONES: output_topics(options.hosts)[CONES], **DIAGNOSTICS}
        published = {entry.topic: entry.msgtype for entry in inputs.values()}
        link = stack.enter_context(GraphLink(domain, published, outputs, images.receive))
        if not link.wait(lambda: all(map(link.subscribers, published)), START, process.check):
            raise SystemExit(f"the nodes do not start: {link.problems}\n{process.log()}")
        link.wait(lambda: False, SETTLE, process.check)
        log = stack.enter_context((folder / SAMPLES).open("a"))
        try:
            _play(link, process, Loop(bag, inputs, rates), images, seconds, _noting(log, run))
        finally:
            link.wait(lambda: images.answered + images.lost >= images.sent, 3.0, lambda: None)
            images.give_up(everything=True)
            with (folder / COUNTS).open("a") as file:
                file.write(json.dumps({"run": run, **images.totals()}) + "\n")


def _noting(log: Any, run: int) -> Any:
    def note(elapsed: float, process: GraphProcess, images: ImageCount) -> None:
        latency = float(np.median(images.latencies)) if images.latencies else None
        images.latencies = []
        row = {"run": run, "seconds": elapsed, "latency": latency}
        log.write(json.dumps({**row, **gauges(psutil.Process(process.pid))}) + "\n")
        log.flush()

    return note


def _play(
    link: GraphLink,
    process: GraphProcess,
    loop: Loop,
    images: ImageCount,
    seconds: float,
    note: Any,
) -> None:
    begun, due_sample = time.monotonic(), 0.0
    begun_ns = time.time_ns()
    for due, entry, raw in loop.messages():
        elapsed = time.monotonic() - begun
        if elapsed >= seconds:
            return
        link.wait(lambda: False, max(0.0, due - elapsed), process.check)
        if elapsed >= due_sample:
            due_sample += PERIOD
            images.give_up()
            note(elapsed, process, images)
        data, stamp = bytearray(raw.data), begun_ns + round(due * SECOND)
        if entry.role != "camera_info":  # its stamp is not used
            stamp += read_header(raw.data).stamp_ns - raw.receive_ns
        STAMP.pack_into(data, 4, *divmod(stamp, SECOND))
        if entry.role == "image":
            images.send(stamp)
        link.publish(entry.topic, bytes(data))


def slope(times: Floats, values: Floats, runs: Floats) -> tuple[float, float, float]:
    """Slope per hour of a line for each run with one slope for all, and its 95 % interval.

    Args:
        times: of the samples [s].
        values: at these times.
        runs: number of the run of each sample.
    """
    blocks = []
    for run in np.unique(runs):
        rows = np.nonzero(runs == run)[0]
        blocks += [rows[k : k + BLOCK] for k in range(0, len(rows), BLOCK)]
    draws = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        chosen = draws.integers(len(blocks), size=len(blocks))
        rows = np.concatenate([blocks[k] for k in chosen])
        found.append(_fit(times[rows], values[rows], runs[rows]))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return _fit(times, values, runs), float(low), float(high)


def _fit(times: Floats, values: Floats, runs: Floats) -> float:
    hours, off = times / 3600.0, values.copy()
    for run in np.unique(runs):
        of_run = runs == run
        hours[of_run] -= hours[of_run].mean()
        off[of_run] -= off[of_run].mean()
    spread = float((hours**2).sum())
    return float((hours * off).sum()) / spread if spread else float("nan")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a file of JSON lines; none without a file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def evaluate(folder: Path, warm_up: float) -> dict[str, Any]:
    """Figures of all that is in a folder, and what misses its target."""
    rows, counts = read_rows(folder / SAMPLES), read_rows(folder / COUNTS)
    table = {name: np.array([row[name] for row in rows]) for name in (*GAUGES, "seconds", "run")}
    kept = table["seconds"] >= warm_up
    if kept.sum() < 3 * BLOCK:
        return {"verdict": f"too short: {kept.sum()} samples after the warm-up"}
    table = {name: column[kept] for name, column in table.items()}
    runs, missed = table["run"], []
    result: dict[str, Any] = {"hours after the warm-up": len(runs) * PERIOD / 3600.0}
    result["runs"] = len(np.unique(runs))
    for name in ("own", "rss"):
        found = slope(table["seconds"], table[name], runs)
        result[f"{name} [MB]"] = [float(table[name].min()), float(table[name].max())]
        result[f"{name} [MB/h]"] = dict(zip(("slope", "low", "high"), found, strict=True))
    if result["own [MB/h]"]["slope"] >= TARGET:
        missed.append(f"memory grows by {result['own [MB/h]']['slope']:.2f} MB/h")
    for name in ("descriptors", "threads"):
        seen = [table[name][runs == run] for run in np.unique(runs)]
        result[name] = [[int(part.min()), int(part.max())] for part in seen]
        if any(part[0] < part[-1] for part in seen):
            missed.append(f"{name} grow")
    latencies = [row["latency"] for row in rows if row["latency"] is not None]
    result["median latency from image to cones [s]"] = float(np.median(latencies))
    names = ("sent", "answered", "lost", "overtaken", "out of order")
    result["images"] = {name: sum(row[name] for row in counts) for name in names}
    wrong = {name: count for name, count in result["images"].items() if name in names[2:] and count}
    missed += [f"images {name}: {count}" for name, count in wrong.items()]
    result["troubles"] = dict(sum((Counter(row["troubles"]) for row in counts), Counter()))
    result["verdict"] = "; ".join(missed) or "all targets reached"
    return result


def chart(folder: Path, result: dict[str, Any], warm_up: float) -> bytes:
    """Memory, descriptors and threads over time as PNG."""
    rows = read_rows(folder / SAMPLES)
    with report_style():
        figure, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True, layout="constrained")
        for run in sorted({row["run"] for row in rows}):
            of_run = [row for row in rows if row["run"] == run]
            minutes = [row["seconds"] / 60.0 for row in of_run]
            axes[0].plot(minutes, [row["own"] for row in of_run], color=ACCENT)
            for axis, name in zip(axes[1:], ("descriptors", "threads"), strict=True):
                axis.plot(minutes, [row[name] for row in of_run], color=ACCENT)
        found = result.get("own [MB/h]")
        if found:
            text = "memory of its own: {slope:+.2f} MB/h ({low:+.2f} to {high:+.2f})"
            axes[0].set_title(text.format(**found))
        for axis, label in zip(axes, ("MB", "descriptors", "threads"), strict=True):
            axis.axvline(warm_up / 60.0, color=MUTED, linewidth=0.8, linestyle=":")
            axis.set_ylabel(label)
        axes[-1].set_xlabel("minutes")
        return png_bytes(figure)


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("drive", type=Path, help="such as of conegrad simulate")
    parser.add_argument("-o", "--output", type=Path, default=Path("one_hour"), help="folder")
    parser.add_argument("--hours", type=float, default=1.0, help="of all runs together")
    parser.add_argument("--camera-rate", type=float, default=0.0, help="[Hz]; 0: that of the drive")
    parser.add_argument("--scan-rate", type=float, default=0.0, help="[Hz]; 0: that of the drive")
    parser.add_argument("--warm-up", type=float, default=10.0, help="of each run [min]")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters of the nodes"
    )
    return parser.parse_args()


def main() -> int:
    """Play what is missing, then evaluate all."""
    chosen = options()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell lets background jobs ignore the first
        signal.signal(number, signal.default_int_handler)
    chosen.output.mkdir(parents=True, exist_ok=True)
    pairs = [word.partition("=") for word in chosen.set]
    parameters = {name: yaml.safe_load(value) for name, _, value in pairs}
    rows = read_rows(chosen.output / SAMPLES)
    last = {row["run"]: row["seconds"] for row in rows}
    remaining = 3600.0 * chosen.hours - sum(last.values())
    if remaining > PERIOD:
        rate = {"image": chosen.camera_rate, "scan": chosen.scan_rate, "points": chosen.scan_rate}
        try:
            run = max(last, default=0) + 1
            play(chosen.drive, chosen.output, run, remaining, rate, parameters)
        except KeyboardInterrupt:
            print("stopped; the same command goes on", file=sys.stderr)
    result = evaluate(chosen.output, 60.0 * chosen.warm_up)
    write_whole(chosen.output / RESULT, json.dumps(result, indent=2).encode())
    write_whole(chosen.output / PICTURE, chart(chosen.output, result, 60.0 * chosen.warm_up))
    print(json.dumps(result, indent=2))
    return int(result["verdict"] != "all targets reached")


if __name__ == "__main__":
    sys.exit(main())
