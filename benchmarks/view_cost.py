"""What a live view costs the process that it runs in: processor time, with and without spectators.

    scripts/run.sh python benchmarks/view_cost.py
    scripts/run.sh python benchmarks/view_cost.py --seconds 20 --pages 3

A feed gets the messages of a car for some seconds, at the rates of a car: raw images of 1280x720 at
20 Hz, scans at 40 Hz, odometry at 100 Hz, detections and cones at 20 Hz. The processor time of the
process is divided by the time that passed: without servers, with both servers and nobody who looks,
and with pages that ask for every state and picture. ``note`` is the time of handing one message
over, from the thread of the graph.
"""

import argparse
import contextlib
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from conegrad_data.bags import messages
from conegrad_data.bags.types import default_typestore
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_nodes.view_server.view import served

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import view_messages

SECOND = 1_000_000_000
TICK = 0.01  # [s]
EVERY = {"image": 5, "scan": 2, "odom": 1, "detections": 5, "cones": 5}  # ticks


def makers() -> dict[str, Callable[[ViewFeed], None]]:
    """By topic, a function that hands a message over."""
    picture = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    image = messages.image_msg(SECOND, "camera", picture)
    data = bytes(default_typestore().serialize_cdr(image, view_messages.IMAGE))
    recorded = ViewFeed("made once")
    view_messages.note_scene(recorded)
    kept = {role: recorded.newest(role) for role in ("scan", "odom", "detections", "cones")}
    hand_over = {
        role: lambda feed, m=message: feed.note(m.topic, m.msgtype, m.data)
        for role, message in kept.items()
    }
    return {"image": lambda feed: feed.note("/image_raw", view_messages.IMAGE, data), **hand_over}


def load(feed: ViewFeed, seconds: float) -> tuple[float, list[float]]:
    """Processor time per second that passes, and the times of handing messages over [s]."""
    hand_over, times = makers(), []
    begun, used = time.perf_counter(), time.process_time()
    tick = 0
    while (passed := time.perf_counter() - begun) < seconds:
        for role, every in EVERY.items():
            if tick % every == 0:
                at = time.thread_time()
                hand_over[role](feed)
                times.append(time.thread_time() - at)
        tick += 1
        time.sleep(max(0.0, tick * TICK - passed))
    return (time.process_time() - used) / (time.perf_counter() - begun), times


@contextlib.contextmanager
def pages(address: str, count: int) -> Iterator[list[int]]:
    """Clients that ask as pages do; their own processor time counts as well."""
    stop, answers = threading.Event(), [0]

    def ask(path: str) -> None:
        after = 0
        while not stop.is_set():
            with urllib.request.urlopen(f"{address}/{path}?after={after}") as answer:
                after = int(answer.headers.get("X-Number") or 0)
                answer.read()
                answers[0] += 1

    threads = [
        threading.Thread(target=ask, args=(path,))
        for _ in range(count)
        for path in ("state.json", "camera.jpg")
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main() -> None:
    """Print the three loads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pages", type=int, default=1)
    options = parser.parse_args()
    alone, times = load(ViewFeed("alone"), options.seconds)
    microseconds = 1e6 * np.array(times)
    median, late = np.quantile(microseconds, (0.5, 0.99))
    print(f"note: median {median:.1f} us, p99 {late:.1f} us")
    print(f"without servers:          {100 * alone:5.1f} % of a core")
    lines: list[str] = []
    config = ViewConfig(view=True, view_port=0, foxglove_port=0)
    with served(ViewFeed("served"), config, lines.append) as feed:
        unseen, _ = load(feed, options.seconds)
        print(f"served, nobody looks:     {100 * unseen:5.1f} % of a core")
        with pages(lines[0].split()[1].rstrip(";"), options.pages) as answers:
            seen, _ = load(feed, options.seconds)
        print(
            f"served, {options.pages} page(s) look:   {100 * seen:5.1f} % of a core, "
            f"{answers[0] / options.seconds:.1f} answers per second"
        )


if __name__ == "__main__":
    main()
