"""Where the thresholds of the monitor of the sensors come from, and how often it alarms in vain.

``python benchmarks/consistency_thresholds.py`` drives without a fault on random tracks in several
worlds, none of which a judged drive uses (benchmarks/closed_loop_faults.py). It prints, for each
figure that the monitor compares with a threshold, the usual value, the one that one frame in a
hundred goes beyond, the worst one and the threshold (ConsistencyConfig); then the share of frames
with a reason, which is the rate of false alarms, by drive and in all; and the time that the monitor
takes for a frame. ``--check`` does the same on drives on which no threshold was chosen: their rate
is the one to state.
"""

import argparse
import collections
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch
from closed_loop_faults import small_camera

from conegrad_core.consistency.frame import ObservedFrame
from conegrad_core.consistency.monitor import ConsistencyMonitor
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_simulation.closed_loop.direct_drive import DirectDrive
from conegrad_simulation.closed_loop.drive_supervisor import SupervisorConfig
from conegrad_simulation.closed_loop.simulator import SensorConfig
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

DRIVES = (  # world, and seed of the track
    ("clear", 8_001),
    ("dusk_rain", 8_002),
    ("indoor", 8_003),
    ("clear", 8_004),
    ("dusk_rain", 8_005),
    ("clear", 8_006),
)
CHECKED = (  # likewise; no threshold was chosen on these
    ("clear", 8_101),
    ("dusk_rain", 8_102),
    ("indoor", 8_103),
    ("clear", 8_104),
    ("clear", 8_105),
    ("dusk_rain", 8_106),
)
SECONDS = 10.0  # of each drive
FALLING = (  # alarm below
    "camera_confirms",
    "lidar_confirms",
    "either_confirms",
    "count_left",
    "returns_left",
)


class Record:
    """Figures, reasons and times of every frame that a monitor looks at."""

    def __init__(self) -> None:
        self.figures: list[dict[str, float]] = []
        self.reasons: list[tuple[Reason, ...]] = []
        self.seconds: list[float] = []

    @contextmanager
    def of_all_monitors(self) -> Iterator[None]:
        """Listen to the monitors of this process."""
        observe = ConsistencyMonitor.observe

        def listening(monitor: ConsistencyMonitor, frame: ObservedFrame) -> tuple[Reason, ...]:
            started = time.thread_time()
            found = observe(monitor, frame)
            self.seconds.append(time.thread_time() - started)
            self.figures.append(monitor.figures())
            self.reasons.append(found)
            return found

        ConsistencyMonitor.observe = listening  # type: ignore[method-assign]
        try:
            yield
        finally:
            ConsistencyMonitor.observe = observe  # type: ignore[method-assign]


def drive(vehicle: str, world: str, seed: int, seconds: float) -> Record:
    """A drive without a fault."""
    description = describe_scene(SceneSettings(vehicle=vehicle, world=world, seed=seed))
    sensors = SensorConfig(camera_rate=10.0, odometry_rate=100.0, quality=0)
    record = Record()
    with record.of_all_monitors():
        DirectDrive(description, sensors, SupervisorConfig(max_seconds=seconds)).run()
    return record


def main() -> None:
    """Drive, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="drives beside those of the choice")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print("| drive | frames | with a reason | reasons |\n|---|---|---|---|")
    records = []
    folder = tempfile.TemporaryDirectory()
    vehicle = small_camera(Path(folder.name))
    for world, seed in CHECKED if options.check else DRIVES:
        record = drive(vehicle, world, seed, options.seconds)
        names = collections.Counter(r.name for reasons in record.reasons for r in reasons)
        wrong, found = sum(map(bool, record.reasons)), dict(names)
        print(f"| {world} {seed} | {len(record.reasons)} | {wrong} | {found} |", flush=True)
        records.append(record)
    frames = sum(len(record.reasons) for record in records)
    wrong = sum(map(bool, (reasons for record in records for reasons in record.reasons)))
    print(f"| all | {frames} | {wrong} ({100 * wrong / frames:.2f} %) | |\n")
    print("| figure | usual | 1 in 100 | worst | threshold |\n|---|---|---|---|---|")
    rows = [row for record in records for row in record.figures]
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        sign = -1.0 if name in FALLING else 1.0
        usual, rare, worst = sign * np.quantile(sign * values, [0.5, 0.99, 1.0])
        limit = getattr(ConsistencyConfig(), name)
        print(f"| {name} | {usual:.2f} | {rare:.2f} | {worst:.2f} | {limit:g} |")
    times = 1e3 * np.concatenate([record.seconds for record in records])
    median, slow = np.quantile(times, [0.5, 0.99])
    print(f"\ntime of the monitor per frame: median {median:.2f} ms, p99 {slow:.2f} ms")


if __name__ == "__main__":
    main()
