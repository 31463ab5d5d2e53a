"""Does every fault end in a finished lap or in a stop, and never in a touched cone?

``python benchmarks/closed_loop_faults.py`` lets the simulated car drive one short lap per
disturbance that is installed, at severity 2 and 3 (``--severities``), on what it perceives. The
fault begins while the car drives (``--start``) and stays. One line per lap: finished, stopped (the
driver's words and when) or off the track; cones touched; the smallest distance to one; the first
reason that the cones gave, and when; the share of frames with a reason before the fault, which are
false alarms. Simulator, perception and driver take turns in this process, so that the same options
give the same lap; ``conegrad drive --fault`` drives the same in the live graph. Exit code 1 where a
cone was touched. ``--only image_hue:3 no_scan`` drives single faults, ``--clean`` none.
"""

import argparse
import collections
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml

from conegrad_core.cones import ConeClass
from conegrad_core.presets import find_preset
from conegrad_evaluation.disturbances.registry import disturbances
from conegrad_nodes.playback.direct import DirectFrame
from conegrad_simulation.closed_loop.direct_drive import DirectDrive
from conegrad_simulation.closed_loop.drive_supervisor import SupervisorConfig
from conegrad_simulation.closed_loop.simulator import SensorConfig
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.scene_settings import SceneDescription, SceneSettings, describe_scene
from conegrad_simulation.sensor_faults.faulty_sensors import KINDS
from conegrad_simulation.track.track import Track

RADIUS, WAIST = 10.0, 0.25  # [m] mean radius of the lap, and share by which its waist is narrower
HALF_WIDTH, SPACING = 1.75, 3.0  # [m] of the lane, and between cones of one border
IMAGE_SIZE = (640, 360)  # [px]
START = 3.0  # [s]
STANDING = 1.0  # [s] after which a car that stands has stopped
LONGEST = 60.0  # [s]


def peanut() -> Track:
    """A closed track of 65 m that turns to both sides; each border has its colour."""
    angles = np.linspace(0.0, 2 * np.pi, 400, endpoint=False)
    radii = RADIUS * (1.0 + WAIST * np.cos(2 * angles))
    line = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    ahead = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    cones, classes = [], []
    for side, cone_class in ((HALF_WIDTH, ConeClass.BLUE), (-HALF_WIDTH, ConeClass.YELLOW)):
        border = line + side * left
        steps = np.linalg.norm(np.diff(np.vstack([border, border[:1]]), axis=0), axis=1)
        count = round(float(steps.sum()) / SPACING)
        along = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
        rows = np.searchsorted(along, np.arange(count) * steps.sum() / count)
        cones.append(border[rows % len(border)])
        classes += [int(cone_class)] * count
    return Track("peanut", np.vstack(cones), np.array(classes), line, is_closed=True)


def small_camera(folder: Path) -> str:
    """The race car with a camera of :data:`IMAGE_SIZE`, which renders fast."""
    values = yaml.safe_load(find_preset("vehicles", "formula_student").read_text())
    values["camera"] |= dict(zip(("width", "height"), IMAGE_SIZE, strict=True))
    path = folder / "formula_student.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def scene(folder: Path, world: str, seed: int) -> SceneDescription:
    """The lap in a world."""
    track = peanut()
    found = describe_scene(
        SceneSettings("acceleration", small_camera(folder), world=world, seed=seed)
    )
    return found._replace(track=track, scene=track_scene(track, found.world, seed))


def drive(description: SceneDescription, faults: tuple[str, ...]) -> DirectDrive:
    """A lap with faults, not driven yet."""
    sensors = SensorConfig(camera_rate=10.0, odometry_rate=100.0, quality=0, faults=faults)
    supervisor = SupervisorConfig(max_seconds=LONGEST, max_standing=STANDING)
    return DirectDrive(description, sensors, supervisor)


@dataclasses.dataclass
class Reasons:
    """Reasons of the frames of a lap."""

    start: float
    before: int = 0
    false_alarms: int = 0
    first: dict[str, float] = dataclasses.field(default_factory=dict)
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def take(self, at: float, frame: DirectFrame) -> None:
        """Note those of a frame."""
        if at < self.start:
            self.before += 1
            self.false_alarms += bool(frame.reasons)
            return
        for reason in frame.reasons:
            self.first.setdefault(reason.name, at - self.start)
            self.counts[reason.name] += 1

    def words(self) -> str:
        """Each with the time from the fault on [s]."""
        return ", ".join(f"{name} {after:.1f} s" for name, after in self.first.items()) or "none"


def chosen(options: argparse.Namespace) -> Iterator[str]:
    """Faults that the command line asks for."""
    if options.only:
        yield from options.only
        return
    for name, found in disturbances().items():
        if found.acts_on not in KINDS:  # on streams, which only the live graph has
            continue
        severities = [s for s in options.severities if s <= len(found.severities)]
        yield from (f"{name}:{severity}" for severity in severities or [len(found.severities)])


def main() -> int:
    """Drive the laps, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="FAULT", help="single faults")
    parser.add_argument("--severities", nargs="+", type=int, default=[2, 3])
    parser.add_argument("--clean", action="store_true", help="a lap without a fault, first")
    parser.add_argument("--start", type=float, default=START, help="of the fault [s]")
    parser.add_argument("--world", default="clear")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    laps: list[str] = [""] if options.clean else []
    laps += list(chosen(options))
    touched = []
    print("| fault | outcome | cones touched | nearest [m] | reasons | false alarms | wall [s] |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        description = scene(Path(folder), options.world, options.seed)
        for text in laps:
            began = time.monotonic()
            faults = (f"{text}@{options.start:g}-",) if text else ()
            lap = drive(description, faults)
            reasons = Reasons(options.start)
            log = lap.run(reasons.take)
            last = lap.turns[-1]
            how = f"lap of {log.lap_times[0]:.1f} s" if log.is_finished else log.outcome
            if "stood" in how:
                how = f"{last.decision.text} ({last.time - options.start:.1f} s after the fault)"
            touched += [text] if log.touched else []
            print(
                f"| {text or 'none'} | {how} | {len(log.touched)} | {log.clearance:.2f} | "
                f"{reasons.words()} | {reasons.false_alarms} of {reasons.before} | "
                f"{time.monotonic() - began:.0f} |",
                flush=True,
            )
    print(f"{len(laps)} laps, cones touched: {', '.join(touched) or 'in none'}")
    return 1 if touched else 0


if __name__ == "__main__":
    sys.exit(main())
