"""Error of the cones over the speed of the car, for a LiDAR whose scan takes a tenth of a second.

``python benchmarks/motion_in_scan.py [--picture docs/images/motion_in_scan.png]`` simulates each
drive twice, with scans at an instant and with scans that roll, and runs the perception on them:
instant, rolling with odometry, and rolling with the times of the beams taken away. It prints one
JSON line per speed: means over the seeds and half the width of their 95 % intervals.
"""

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy import stats

mpl.use("Agg")
from matplotlib import pyplot as plt

from conegrad_core.evaluation.matching import EvaluationConfig
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_nodes.bags.reader import BagReader
from conegrad_nodes.bags.writer import BagWriter
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_simulation.bag import BagConfig, make_track, simulate_bag
from conegrad_simulation.drive import DriveConfig
from conegrad_training.evaluation.drive import read_drive
from conegrad_training.evaluation.drive_evaluation import evaluate_drive

RATE, DURATION = 10.0, 0.1  # [Hz], [s] of a spinning LiDAR
SPEEDS = (0.1, 2.5, 5.0, 10.0, 15.0, 20.0)  # [m/s]; a car that stands drives at 0.1
MAX_RANGE = 12.0  # [m]
FAR_MATCH = 1.5  # [m], so that errors are measured and not lost as misses
KINDS = {
    "instant": "scan at an instant",
    "compensated": "rolling scan, motion compensated",
    "not compensated": "rolling scan, motion not compensated",
}
COLOURS = {"instant": "0.45", "compensated": "tab:blue", "not compensated": "tab:red"}


def car() -> Vehicle:
    """The race car with images as large as the detector reads them, which render fast."""
    vehicle = load_vehicle("formula_student")
    camera = dataclasses.replace(vehicle.camera, width=640, height=360)
    return dataclasses.replace(vehicle, camera=camera)


def simulated(path: Path, seed: int, speed: float, duration: float, seconds: float) -> Path:
    """A drive at one speed, also round corners, and without leaning there."""
    vehicle = car()
    driving = DriveConfig(speed=speed, lateral_limit=40.0, forward_limit=40.0, roll_gain=0.0)
    config = BagConfig(
        seconds=seconds, seed=seed, camera_rate=RATE, scan_rate=RATE, scan_duration=duration
    )
    simulate_bag(path, make_track("random", seed, vehicle), vehicle, driving, config)
    return path


def without_times(path: Path, source: Path) -> Path:
    """The same bag, its scans without time_increment."""
    with BagReader(source) as bag, BagWriter(path) as copy:
        for topic, receive_ns, msg in bag.messages():
            if topic == "/scan":
                msg.time_increment = 0.0
            copy.write(topic, bag.topics[topic].msgtype, receive_ns, msg)
    return path


def scores(bag: Path, output: Path) -> dict[str, float]:
    """RMSE of the cones [m], and f1_colour with the usual match distance."""
    perceive_directly(bag, output)
    drive = read_drive(output)
    found = {}
    for name, distance in (("rmse", FAR_MATCH), ("f1_colour", 0.5)):
        config = EvaluationConfig(
            match_distance=distance, max_range=MAX_RANGE, min_existence=0.0, bootstrap_samples=1
        )
        total = evaluate_drive(drive, config).evaluation.to_dict()["total"]
        found[name] = total["position"]["rmse"] if name == "rmse" else total["counts"][name]
    return found


def measure(seed: int, speed: float, seconds: float) -> dict[str, dict[str, float]]:
    """Scores of each kind on one drive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        instant = simulated(folder / "instant", seed, speed, 0.0, seconds)
        rolling = simulated(folder / "rolling", seed, speed, DURATION, seconds)
        bags = (instant, rolling, without_times(folder / "blind", rolling))
        return {
            kind: scores(bag, folder / f"cones {kind}")
            for kind, bag in zip(KINDS, bags, strict=True)
        }


def summary(speed: float, drives: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Mean over the drives and half the width of its interval, by kind and score."""
    row: dict[str, object] = {"speed": speed, "drives": len(drives)}
    for kind in KINDS:
        for score in ("rmse", "f1_colour"):
            values = np.array([drive[kind][score] for drive in drives])
            half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
            row[f"{score} {kind}"] = [round(float(values.mean()), 4), round(float(half), 4)]
    ratios = [d["compensated"]["rmse"] / d["instant"]["rmse"] for d in drives]
    row["ratio"] = round(float(np.mean(ratios)), 2)
    return row


def draw(rows: list[dict[str, object]], path: Path) -> None:
    """Both scores over speed, with intervals."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    speeds = np.array([row["speed"] for row in rows])
    for kind, label in KINDS.items():
        for axes, score in ((left, "rmse"), (right, "f1_colour")):
            mean, half = np.array([row[f"{score} {kind}"] for row in rows]).T
            axes.errorbar(
                speeds, mean, half, label=label, color=COLOURS[kind], marker="o", ms=4, capsize=3
            )
    left.plot(speeds, speeds * DURATION / 2, "k:", lw=1, label="speed x half a scan")
    left.set(yscale="log", ylabel=f"RMSE of cones within {MAX_RANGE:.0f} m [m]")
    right.set(ylabel="f1_colour, cones within 0.5 m of their truth", ylim=(0, 1.02))
    for axes in (left, right):
        axes.set_xlabel("speed [m/s]")
        axes.grid(visible=True, which="both", alpha=0.25)
    left.legend(fontsize=8)
    figure.suptitle(f"LiDAR at {RATE:.0f} Hz whose scan takes {DURATION} s")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5001, 5002, 5003, 5004])
    parser.add_argument("--speeds", type=float, nargs="+", default=list(SPEEDS))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--picture", type=Path, default=None, help="PNG to write")
    options = parser.parse_args()
    rows = []
    for speed in options.speeds:
        drives = [measure(seed, speed, options.seconds) for seed in options.seeds]
        rows.append(summary(speed, drives))
        print(json.dumps(rows[-1]), flush=True)
    if options.picture is not None:
        draw(rows, options.picture)


if __name__ == "__main__":
    main()
