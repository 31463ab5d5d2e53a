"""Error of the LiDAR's cones over the speed of the car, for scans that take a tenth of a second.

``python benchmarks/motion_in_scan.py [--picture docs/images/motion_in_scan.png]`` simulates drives
on random tracks, scans them at an instant and beam by beam, and runs the segmenter and the fusion
of the LiDAR alone on three kinds: instant, rolling with odometry, and rolling as if at an instant.
It prints one JSON line per speed: means over the seeds and half the width of their 95 % intervals.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import torch
from scipy import stats

mpl.use("Agg")
from matplotlib import pyplot as plt

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.geometry.odometry import OdometryBuffer, Path2, Pose2, path_around
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import ScanSegmenter, load_segmenter
from conegrad_core.lidar.sweep import with_motions
from conegrad_core.vehicle import LidarPreset, load_vehicle
from conegrad_simulation.lidar.planar_lidar import CastScan, LidarCaster
from conegrad_simulation.planar import in_sensor
from conegrad_simulation.recording.drive import DriveConfig, PlannedDrive
from conegrad_simulation.recording.drive_render import DriveSetup, cast
from conegrad_simulation.scene.clutter import cluttered_scene
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.named_track import make_track

RATE, DURATION = 10.0, 0.1  # [Hz], [s] of a spinning LiDAR
ODOMETRY_STEP = 0.01  # [s]
SPEEDS = (0.1, 2.5, 5.0, 10.0, 15.0, 20.0)  # [m/s]; a car that stands drives at 0.1
MAX_RANGE = 12.0  # [m]
FOUND = 1.5  # [m] to the nearest cone; cones stand 3 m apart, so it is the same one
AT_ITS_PLACE = 0.5  # [m], as evaluate matches
KINDS = {
    "instant": "scan at an instant",
    "compensated": "rolling scan, motion compensated",
    "not compensated": "rolling scan, motion not compensated",
}
COLOURS = {"instant": "0.45", "compensated": "tab:blue", "not compensated": "tab:red"}
Scores = dict[str, dict[str, float]]


class Moment(NamedTuple):
    """One scan of a drive: as it is at an instant and beam by beam, the path, what there is."""

    instant: CastScan
    rolling: CastScan
    path: Path2 | None
    truth: TrueCones


def staged(seed: int, speed: float) -> DriveSetup:
    """A drive at one speed, also round corners, and without leaning there."""
    vehicle, world = load_vehicle("formula_student"), World.preset("clear")
    track = make_track("random", seed, vehicle)
    driving = DriveConfig(speed=speed, lateral_limit=40.0, forward_limit=40.0, roll_gain=0.0)
    drive = PlannedDrive(track, driving, seed)
    scene = cluttered_scene(track.positions, track.classes, track.centre_line[::8], world, seed)
    return DriveSetup(vehicle, scene, world, drive, seed, 0)


def spinning(preset: LidarPreset, duration: float) -> LidarPreset:
    """The LiDAR, turning ten times a second."""
    return dataclasses.replace(preset, rate=RATE, scan_duration=duration)


def moments(setup: DriveSetup, count: int) -> Iterator[Moment]:
    """The scans of a drive, with odometry up to the end of each."""
    lidar = setup.vehicle.lidar
    instant, rolling = (LidarCaster(spinning(lidar, each)) for each in (0.0, DURATION))
    odometry = OdometryBuffer(2000)
    for step in range(round((count + 1) / RATE / ODOMETRY_STEP) + 1):
        time = step * ODOMETRY_STEP
        odometry.add(round(time * 1e9), Pose2(*setup.drive.state(time).pose))
    for index in range(count):
        time = index / RATE
        path = path_around(odometry.near, round(time * 1e9), 0.0, DURATION)
        scans = [cast(setup, caster, time, index) for caster in (instant, rolling)]
        yield Moment(*scans, path, truth_at(setup, time, scans))


def truth_at(setup: DriveSetup, time: float, scans: list[CastScan]) -> TrueCones:
    """The cones around the car, and which of them both scans meet: the car passes the others."""
    pose, mounting = setup.drive.state(time).pose, setup.vehicle.lidar.mounting
    positions = in_sensor(setup.scene.cone_positions, pose, mounting)
    visible = torch.zeros(len(positions), dtype=torch.bool)
    visible[torch.from_numpy(np.intersect1d(*(scan.visible_cones() for scan in scans)))] = True
    return TrueCones(
        torch.from_numpy(positions).float(),
        torch.from_numpy(setup.scene.cone_classes),
        torch.zeros_like(visible),
        visible,
    )


@torch.inference_mode()
def cones_of(segmenter: ScanSegmenter, fuser: Fuser, scan: Scan) -> Cones:
    """Cones of a scan alone."""
    return select_cones(fuser(segmenter([scan])[0], None, None), 0.5, 0.3)


def misplaced(cones: Cones, truth: TrueCones) -> list[float]:
    """Distance from each true cone in range to the cone that is nearest to it and to no other [m].

    Infinite where there is none: the cone was missed.
    """
    near = truth.visible_lidar & (truth.positions.norm(dim=-1) <= MAX_RANGE)
    if not len(cones.positions):
        return [float("inf")] * int(near.sum())
    apart = torch.cdist(truth.positions, cones.positions)
    distances, nearest = apart.min(dim=1)
    is_its_own = apart.argmin(dim=0)[nearest] == torch.arange(len(nearest))
    return torch.where(is_its_own, distances, torch.inf)[near].tolist()


def measure(seed: int, speed: float, scans: int, segmenter: ScanSegmenter, fuser: Fuser) -> Scores:
    """RMSE of the cones that were found [m], and the share of cones found at their place."""
    distances: dict[str, list[float]] = {kind: [] for kind in KINDS}
    setup = staged(seed, speed)
    angles = setup.vehicle.lidar.angles()
    times = torch.linspace(0.0, DURATION, len(angles))
    mounting = setup.vehicle.lidar.mounting.base_from_sensor()
    for moment in moments(setup, scans):
        still, rolling = (
            Scan(torch.from_numpy(each.ranges), angles) for each in (moment.instant, moment.rolling)
        )
        moving = with_motions(rolling._replace(times=times), moment.path, mounting)
        for kind, scan in zip(KINDS, (still, moving, rolling), strict=True):
            distances[kind] += misplaced(cones_of(segmenter, fuser, scan), moment.truth)
    return {kind: scored(np.array(found)) for kind, found in distances.items()}


def scored(distances: np.ndarray) -> dict[str, float]:
    """Scores of the distances of a drive [m]."""
    found = distances[distances < FOUND]
    return {
        "rmse": float(np.sqrt(np.mean(found**2))),
        "recall": float(np.mean(distances < AT_ITS_PLACE)),
    }


def summary(speed: float, drives: list[Scores]) -> dict[str, object]:
    """Mean over the drives and half the width of its interval, by kind and score."""
    row: dict[str, object] = {"speed": speed, "drives": len(drives)}
    for kind in KINDS:
        for score in ("rmse", "recall"):
            values = np.array([drive[kind][score] for drive in drives])
            half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
            row[f"{score} {kind}"] = [round(float(values.mean()), 4), round(float(half), 4)]
    ratios = [drive["compensated"]["rmse"] / drive["instant"]["rmse"] for drive in drives]
    row["ratio"] = round(float(np.mean(ratios)), 2)
    return row


def draw(rows: list[dict[str, object]], path: Path) -> None:
    """Both scores over speed, with intervals."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    speeds = np.array([row["speed"] for row in rows])
    for kind, label in KINDS.items():
        for axes, score in ((left, "rmse"), (right, "recall")):
            mean, half = np.array([row[f"{score} {kind}"] for row in rows]).T
            axes.errorbar(
                speeds, mean, half, label=label, color=COLOURS[kind], marker="o", ms=4, capsize=3
            )
    left.plot(speeds, speeds * DURATION / 2, "k:", lw=1, label="speed x half a scan")
    left.set(yscale="log", ylabel=f"RMSE of cones within {MAX_RANGE:.0f} m [m]")
    right.set(ylabel=f"cones within {AT_ITS_PLACE} m of their place", ylim=(0, 1.02))
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
    parser.add_argument("--scans", type=int, default=10)
    parser.add_argument("--picture", type=Path, default=None, help="PNG to write")
    options = parser.parse_args()
    segmenter, fuser = load_segmenter(), Fuser()
    rows = []
    for speed in options.speeds:
        drives = [measure(seed, speed, options.scans, segmenter, fuser) for seed in options.seeds]
        rows.append(summary(speed, drives))
        print(json.dumps(rows[-1]), flush=True)
    if options.picture is not None:
        draw(rows, options.picture)


if __name__ == "__main__":
    main()
