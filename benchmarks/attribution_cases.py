"""Does an attribution name the component that was damaged? Seeded faults on simulated drives.

    python benchmarks/attribution_cases.py cases --split judged
    python benchmarks/attribution_cases.py table --split judged

``--split development`` has other drives, and the thresholds of attribution were chosen on those
alone. A case that is done is not done again. The table also says how many faulty cones were traced
to the component that was damaged: those that are right on the same frames without the fault.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from conegrad_bringup.command_line import main as conegrad
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.attribution.advice import findings, headline
from conegrad_evaluation.attribution.attribution import Attribution, attribute
from conegrad_evaluation.attribution.bag_attribution import twist_at
from conegrad_evaluation.attribution.outcomes import SAME_PLACE, FaultyCone
from conegrad_evaluation.disturbances.disturbed import DisturbedSamples
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.system.system import System

DRIVES = {"development": (101, 102, 103), "judged": (201, 202, 203, 204)}  # seeds
FRAMES = 20
COMPONENTS = {
    "image": "detector", "scan": "segmenter", "camera_late": "time", "camera": "calibration",
}  # fmt: skip
FAULTS = (
    *("image_defocus:3", "image_motion_blur:3", "image_darkness:2", "image_darkness:3"),
    *("image_channels_swapped:1", "image_channels_swapped:2", "image_channels_swapped:3"),
    *("image_defocus:3", "image_motion_blur:3", "image_darkness:3"),
    *("scan_range_noise:2", "scan_range_noise:3", "scan_range_noise:2", "scan_range_noise:3"),
    *("scan_dropped_beams:2", "scan_dropped_beams:3", "scan_dropped_beams:2"),
    "scan_dropped_beams:1",
    *("camera_pitch:2", "camera_pitch:3", "camera_yaw:2", "camera_yaw:3"),
    *("camera_pitch:degrees=-1", "camera_yaw:degrees=-2"),
    *("camera_moved:x=0,y=5,z=0", "camera_moved:x=0,y=0,z=-5"),
    *("camera_late:milliseconds=60", "camera_late:milliseconds=100"),
    *("camera_late:milliseconds=-60", "camera_late:milliseconds=-100"),
    "image_darkness:3 camera_yaw:3",
    "scan_dropped_beams:3 camera_late:milliseconds=60",
    "image_defocus:3 scan_range_noise:3",
    "image_channels_swapped:3 camera_pitch:2",
    "scan_range_noise:3 camera_moved:x=0,y=-5,z=0",
    "camera_late:milliseconds=100 camera_pitch:3",
    *("", "", "", ""),
)


class Case(NamedTuple):
    """A drive with some faults, or without any."""

    number: int
    drive: int
    faults: tuple[str, ...]

    @property
    def components(self) -> set[str]:
        """Those that are damaged."""
        return {
            next(part for start, part in COMPONENTS.items() if fault.startswith(start))
            for fault in self.faults
        }


def cases(split: str) -> list[Case]:
    """Forty cases; every fault on a drive of its turn."""
    drives = DRIVES[split]
    return [
        Case(number, drives[number % len(drives)], tuple(faults.split()))
        for number, faults in enumerate(FAULTS)
    ]


class Drive:
    """A simulated drive, read once."""

    def __init__(self, seed: int, folder: Path) -> None:
        path = folder / f"drive{seed}"
        if not path.exists():
            words = [
                "--track",
                "random",
                "--seconds",
                "6",
                "--camera-rate",
                "5",
                "--scan-rate",
                "5",
            ]
            if conegrad(["simulate", "-o", str(path), "--seed", str(seed), *words]):
                raise RuntimeError(f"{path} could not be simulated")
        self.replay = BagReplay(path, track=folder / f"drive{seed}_track.csv")
        count = min(FRAMES, len(self.replay))
        self.places = [index * len(self.replay) // count for index in range(count)]
        started = time.process_time()
        samples = [self.replay[place] for place in self.places]
        self.decode_seconds = time.process_time() - started
        self.twists = [twist_at(self.replay, sample.key.stamp_ns) for sample in samples]

    def samples(self, case: Case) -> list:
        """The frames with the faults of a case."""
        faults = [read_fault(fault, seed=case.number) for fault in case.faults]
        disturbed = DisturbedSamples(self.replay, *faults)
        return [disturbed[place] for place in self.places]


def run(split: str, folder: Path, numbers: Sequence[int]) -> None:
    """Attribute every case; append its result to the file of the split."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"{split}.jsonl"
    done = {row["number"] for row in _rows(output)}
    system = System(load_pipeline())
    system.pipeline.accelerate()
    preset = load_vehicle("formula_student").evaluation
    config = EvaluationConfig(match_distance=preset.match_distance, max_range=preset.max_range)
    drives: dict[int, tuple[Drive, list[FaultyCone]]] = {}
    for case in cases(split):
        if case.number in done or (numbers and case.number not in numbers):
            continue
        if case.drive not in drives:
            drive = Drive(case.drive, folder)
            clean = _attributed(system, drive, Case(-1, case.drive, ()), config)
            drives[case.drive] = drive, [traced.fault for traced in clean.traces]
        drive, known = drives[case.drive]
        found = _attributed(system, drive, case, config)
        row = result(case, found, known)
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def _attributed(system: System, drive: Drive, case: Case, config: EvaluationConfig) -> Attribution:
    samples = drive.samples(case)
    seconds = drive.decode_seconds
    return attribute(system, samples, drive.twists, config, decode_seconds=seconds)


def result(case: Case, found: Attribution, known: Sequence[FaultyCone]) -> dict:
    """What one case says, as JSON values."""
    standing = findings(found, joins=("fuser",))
    named = [finding.component for finding in standing]
    planted = [traced for traced in found.traces if not _is_known(traced.fault, known)]
    right = [traced for traced in planted if traced.component in case.components]
    return {
        "number": case.number,
        "drive": case.drive,
        "faults": " ".join(case.faults),
        "components": sorted(case.components),
        "named": named,
        "is_right": named[:1] == []
        if not case.faults
        else named[:1] != [] and named[0] in case.components,
        "score": found.score,
        "shares": dict(found.shares),
        "qualities": dict(found.qualities),
        "rest": abs(sum(found.shares.values()) - (1.0 - found.score)),
        "faulty": len(found.traces),
        "traced": sum(bool(traced.component) for traced in found.traces),
        "planted": len(planted) if case.faults else 0,
        "planted_right": len(right) if case.faults else 0,
        "cost": found.cost,
        "headline": headline(standing, found),
        "wrong_traces": [
            [
                traced.component,
                traced.fault.mode,
                {k: round(v, 2) for k, v in traced.shares.items()},
            ]
            for traced in planted
            if traced not in right
        ],
    }


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 2) for name, share in shares.items()}


def _is_known(fault: FaultyCone, known: Sequence[FaultyCone]) -> bool:
    """The cone is as faulty without the planted fault."""
    for other in known:
        if (other.frame, other.is_lost) == (fault.frame, fault.is_lost):
            if fault.is_lost and other.row == fault.row:
                return True
            if not fault.is_lost and np.hypot(*(other.position - fault.position)) <= SAME_PLACE:
                return True
    return False


def table(split: str, folder: Path) -> None:
    """Print every case and the sums, as Markdown."""
    rows = sorted(_rows(folder / f"{split}.jsonl"), key=lambda row: row["number"])
    print("| case | faults | F1 | named | right | traced, planted | cost |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        planted = f"{row['planted_right']} of {row['planted']}" if row["planted"] else ""
        print(
            f"| {row['number']} | {row['faults'] or 'none'} | {row['score']:.3f} | "
            f"{', '.join(row['named']) or 'nothing'} | {'yes' if row['is_right'] else '**no**'} | "
            f"{planted} | {row['cost']:.2f} |"
        )
    sums = {key: sum(row[key] for row in rows) for key in ("faulty", "traced", "planted")}
    right = sum(row["planted_right"] for row in rows)
    print(f"\nnamed first: {sum(row['is_right'] for row in rows)} of {len(rows)}")
    print(f"faulty cones with a component: {sums['traced']} of {sums['faulty']}")
    print(f"with a planted cause, the right one: {right} of {sums['planted']}")
    print(f"largest rest of the shares: {max(row['rest'] for row in rows):.1e}")
    costs = [row["cost"] for row in rows]
    print(f"cost: median {np.median(costs):.2f}, at most {max(costs):.2f} evaluations")


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("cases", "table"))
    parser.add_argument("--split", choices=tuple(DRIVES), default="judged")
    parser.add_argument("--folder", type=Path, default=Path("out/attribution"))
    parser.add_argument("--numbers", type=int, nargs="*", default=())
    options = parser.parse_args()
    if options.action == "cases":
        run(options.split, options.folder, options.numbers)
    else:
        table(options.split, options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
