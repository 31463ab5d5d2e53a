"""Which training pattern makes a system robust: patterns with and without disturbed samples.

All trainings begin with the shipped weights with noise in both networks, learn from the same
simulated drives, and go backward equally often through networks. Each is judged on drives and
tracks of its own, intact and under disturbances, half of which no training contains.

    python benchmarks/robust_patterns.py run DATA [--seeds 1 2 3]   # goes on where it was
    python benchmarks/robust_patterns.py judge DATA                 # the tables
    python benchmarks/robust_patterns.py cost                       # of disturbing one sample

Results are appended to ``runs.jsonl`` in the folder DATA, one line per training; each line holds
right cones and cones of every judged frame. Retention is the F1 with colour under a disturbance as
a share of the intact one. Intervals (95 %) are of a bootstrap over the judged drives and over
seeds, with the same draws for all trainings.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.attribution.outcomes import outcome
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.disturbances.registry import exposed_to
from conegrad_evaluation.disturbances.time import with_motion_unaccounted
from conegrad_evaluation.robustness.partial_rerun import PartialRerun
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.samples.frame_sampler import sample_frame
from conegrad_simulation.scene.domain import Domain
from conegrad_simulation.scene.world import World
from conegrad_training.comparison.degradation import degrade
from conegrad_training.comparison.settings import LOSS, OPTIMIZER
from conegrad_training.data.disturbed_training import DisturbanceConfig
from conegrad_training.data.simulated_samples import sample_of_frame
from conegrad_training.engine.training_run import Data, RunConfig, TrainingConfig, run_training
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

IMAGE_SIZE = (320, 180)  # [px]
SYSTEM = SystemConfig(input_width=320, input_height=192)
NOISE = {"detector": 0.2, "segmenter": 0.5}  # relative to the spread of each tensor of weights
TRAINING_DRIVES, JUDGED_DRIVES = 5_700_000, 6_700_000  # seeds of the first track
TRAINING_FRAMES, JUDGED_FRAMES, PER_DRIVE = 80, 24, (8, 3)
BATCH, STEPS = 4, 60  # of both networks at once
SHARE = 0.5  # of disturbed samples
BOTH = ("Image", "Scan")
PATTERNS = {  # settings, and steps for as many backward passes through networks as the first ones
    "individual": (PatternConfig("individual"), STEPS),
    "simultaneous": (PatternConfig("simultaneous"), STEPS),
    "alternating": (PatternConfig("alternating"), 2 * STEPS),
    "partial, detector": (PatternConfig("partial", stages=("detector",)), 2 * STEPS),
}
TRAINED = (
    "image_hue", "image_fog", "image_noise", "image_darkness", "image_garbage",
    "scan_dropped_beams", "scan_crosstalk", "scan_fog", "camera_yaw",
)  # fmt: skip
JUDGED = {
    "trained": (
        "image_hue:3", "image_fog:3", "image_noise:3", "image_darkness:3", "image_garbage:2",
        "scan_dropped_beams:3", "scan_crosstalk:3", "scan_fog:3", "camera_yaw:3",
    ),
    "untrained": (
        "image_channels_swapped:3", "image_rain:3", "image_motion_blur:3", "image_low_sun:3",
        "image_dead_columns:3", "image_defocus:3", "scan_blocked_sector:2", "scan_range_noise:3",
        "scan_rain:3", "camera_pitch:3",
    ),
}  # fmt: skip
LATE = "late"  # an image whose stamp is 0.1 s late at 8 m/s
MOVED = (0.8, 0.0, 0.0)  # [m, m, rad]
RUNS, CLEAN, RESAMPLES = "runs.jsonl", "clean", 2000

Counts = list[tuple[int, int]]  # of each frame: right cones, and cones and truth together
Floats = npt.NDArray[np.float64]


class DriveSamples(Dataset[Sample]):
    """Frames of simulated drives, rendered once."""

    def __init__(self, first_seed: int, count: int, per_drive: int) -> None:
        vehicle, domain = load_vehicle("formula_student"), Domain(World.preset("clear"))
        frames = DriveFrames(vehicle, domain, first_seed, per_drive, IMAGE_SIZE)
        self._samples = [
            sample_of_frame(frames.frame(place), SampleKey(f"drives from {first_seed}", place, 0))
            for place in range(count)
        ]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, place: int) -> Sample:
        return self._samples[place]


class Judged:
    """The judged frames, with each fault; made once for all trainings."""

    def __init__(self) -> None:
        self._samples = list(iter_samples(DriveSamples(JUDGED_DRIVES, JUDGED_FRAMES, PER_DRIVE[1])))
        self._config = TrainingConfig().evaluation
        words = [word for group in JUDGED.values() for word in group]
        self._variants = [
            {word: disturbed(sample, read_fault(word)) for word in words}
            | {LATE: with_motion_unaccounted(sample, torch.tensor(MOVED))}
            for sample in self._samples
        ]

    @torch.no_grad()
    def counts(self, system: TrainableSystem) -> dict[str, Counts]:
        """Right cones, and cones and truth together, of each frame, intact and by fault."""
        system.eval()
        found: dict[str, Counts] = {}
        for sample, variants in zip(self._samples, self._variants, strict=True):
            rerun = PartialRerun(system, sample)
            cones = {CLEAN: rerun.cones} | {w: rerun.cones_of(v) for w, v in variants.items()}
            for word, of_word in cones.items():
                counts = outcome([of_word], [system.truth(sample)], self._config).counts
                pair = (counts.right, counts.predicted + counts.true)
                found.setdefault(word, []).append(pair)
        return found


def iter_samples(samples: DriveSamples) -> Iterator[Sample]:
    """Every sample in order."""
    return (samples[place] for place in range(len(samples)))


def start_of(folder: Path) -> SystemConfig:
    """The start of all trainings: the shipped weights with noise."""
    system = load_system(SYSTEM)
    for number, (stage, strength) in enumerate(NOISE.items()):
        noise = {"kind": "add_weight_noise", "stage": stage, "strength": strength}
        degrade(system, {**noise, "seed": 70 + number})
    return SYSTEM.with_weights(system.save(folder / "start"))


def config_of(pattern: str, share: float, seed: int, system: SystemConfig) -> TrainingConfig:
    """Settings of one training."""
    chosen, steps = PATTERNS[pattern]
    run = RunConfig(
        steps=steps, batch=BATCH, seed=seed, final_rate=0.02, evaluation_frames=0, workers=0,
        threads=1,
    )  # fmt: skip
    return TrainingConfig(
        run=run,
        system=system,
        pattern=chosen,
        optimizer=OPTIMIZER,
        loss=LOSS,
        disturbance=DisturbanceConfig(TRAINED if share else (), share),
    )


def run(folder: Path, seeds: Sequence[int]) -> None:
    """Make the trainings that are missing."""
    rows = read_rows(folder)
    done = {(row["pattern"], row["share"], row["seed"]) for row in rows}
    start, judged = start_of(folder), Judged()
    if not any(row["pattern"] == "start" for row in rows):
        write_row(folder, {"pattern": "start", "share": 0.0, "seed": 0}, judged, start)
    drives = DriveSamples(TRAINING_DRIVES, TRAINING_FRAMES, PER_DRIVE[0])
    data = Data(drives, drives, ("simulated drives",))
    for seed in seeds:
        for pattern in PATTERNS:
            for share in (0.0, SHARE):
                if (pattern, share, seed) in done:
                    continue
                name = f"{pattern.replace(', ', '_')}_{share:g}_{seed}"
                config = config_of(pattern, share, seed, start)
                run_training(config, data, folder / name, resume=True)
                cost = json.loads((folder / name / "run.json").read_text())["cost"]
                files = json.loads((folder / name / "run.json").read_text())["weights"]
                trained = start.with_weights({s: folder / name / f for s, f in files.items()})
                passes = sum(n for s, n in cost["backward"].items() if s in NOISE)
                row = {"pattern": pattern, "share": share, "seed": seed, "passes": passes}
                write_row(folder, row | {"seconds": cost["seconds"]}, judged, trained)


def write_row(folder: Path, row: Mapping[str, Any], judged: Judged, config: SystemConfig) -> None:
    """Judge a system, append the result, and say what came out."""
    counts = judged.counts(load_system(config))
    with (folder / RUNS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "counts": counts}) + "\n")
    clean = f1_of(counts[CLEAN])
    shares = [f1_of(of_word) / clean for word, of_word in counts.items() if word != CLEAN]
    named = f"{row['pattern']} {row['share']} {row['seed']}"
    print(f"{named}: intact {clean:.3f}, left {np.mean(shares):.3f}", flush=True)


def f1_of(counts: Counts) -> float:
    """F1 with colour of frames."""
    return 2.0 * sum(right for right, _ in counts) / max(sum(both for _, both in counts), 1)


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Results that are there; a last line that was cut off is not."""
    rows = []
    for line in (folder / RUNS).read_text().splitlines() if (folder / RUNS).exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


class Figures(NamedTuple):
    """Of some trainings, one value per draw of the bootstrap; the first is that of all.

    Attributes:
        intact: F1 with colour of intact frames.
        trained: mean retention over the faults of kinds that were trained on.
        untrained: over the other ones, the late stamp included.
        under: mean F1 with colour under all faults.
    """

    intact: Floats
    trained: Floats
    untrained: Floats
    under: Floats


def figures(rows: Sequence[Mapping[str, Any]], draws: Sequence[Floats]) -> Figures:
    """Figures of the trainings of one pattern, seeds averaged.

    Args:
        rows: of each seed.
        draws: how often each drive ``(R, D)`` and each seed ``(R, S)`` is drawn.
    """
    of_drives, of_seeds = draws[0], draws[1][:, : len(rows)]
    of_seeds = of_seeds / of_seeds.sum(axis=1, keepdims=True)

    def f1(word: str) -> Floats:
        """``(R, S)`` F1 by draw and seed."""
        counts = np.array([row["counts"][word] for row in rows], dtype=np.float64)
        sums = counts.reshape(len(rows), -1, PER_DRIVE[1], 2).sum(axis=2)  # (S, D, 2)
        right, both = np.einsum("rd,sdk->krs", of_drives, sums)
        return np.asarray(2.0 * right / both)

    intact = f1(CLEAN)
    by_word = {word: f1(word) for group in JUDGED.values() for word in group} | {LATE: f1(LATE)}

    def mean(words: Sequence[str], base: Floats | float) -> Floats:
        of_words: Floats = np.mean([by_word[word] / base for word in words], axis=0)
        return np.asarray((of_words * of_seeds).sum(axis=1))

    return Figures(
        (intact * of_seeds).sum(axis=1),
        mean(JUDGED["trained"], intact),
        mean((*JUDGED["untrained"], LATE), intact),
        mean(list(by_word), 1.0),
    )


def draws_of(drives: int, seeds: int) -> list[Floats]:
    """How often each drive and each seed is drawn; in the first row once each."""
    random = np.random.default_rng(0)
    found = []
    for count in (drives, seeds):
        drawn = random.multinomial(count, [1.0 / count] * count, size=RESAMPLES).astype(np.float64)
        found.append(np.concatenate([np.ones((1, count)), drawn]))
    return found


def judge(folder: Path) -> None:
    """Tables of the figures, and of differences with their intervals."""
    rows = read_rows(folder)
    made = {(row["pattern"], row["share"], row["seed"]) for row in rows}
    cells = [(pattern, share) for pattern in PATTERNS for share in (0.0, SHARE)]
    known = sorted({row["seed"] for row in rows if row["pattern"] != "start"})
    seeds = [seed for seed in known if all((*cell, seed) in made for cell in cells)]
    if not seeds:
        raise SystemExit(f"{folder / RUNS} has no seed with all {len(cells)} trainings; run them")
    draws = draws_of(JUDGED_FRAMES // PER_DRIVE[1], len(seeds))
    start = [row for row in rows if row["pattern"] == "start"]
    table = {("start", 0.0): figures(start, [draws[0], np.ones((RESAMPLES + 1, 1))])}
    for cell in cells:
        found = {row["seed"]: row for row in rows if (row["pattern"], row["share"]) == cell}
        table[cell] = figures([found[seed] for seed in seeds], draws)
    print(f"{len(seeds)} seeds; passes {sorted({r['passes'] for r in rows if 'passes' in r})}")
    print("| pattern | disturbed | intact | left, trained kinds | left, other kinds | F1 under |")
    print("|---|---|---|---|---|---|")
    for (pattern, share), of_one in table.items():
        print(f"| {pattern} | {share:g} | {' | '.join(map(with_interval, of_one))} |")
    print("\ndisturbed samples against none:")
    for pattern in PATTERNS:
        print_difference(pattern, table[pattern, SHARE], table[pattern, 0.0])
    for share in (0.0, SHARE):
        print(f"\nagainst individual, share {share:g}:")
        for pattern in list(PATTERNS)[1:]:
            print_difference(pattern, table[pattern, share], table["individual", share])


def print_difference(name: str, one: Figures, other: Figures) -> None:
    """Differences of all figures, draw by draw."""
    cells = [with_interval(a - b, "+.3f") for a, b in zip(one, other, strict=True)]
    print(f"| {name} | {' | '.join(cells)} |")


def with_interval(values: Floats, form: str = ".3f") -> str:
    """The value of all, and the interval of the draws."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return f"{values[0]:{form}} ({low:{form}} to {high:{form}})"


def cost() -> None:
    """CPU time of each disturbance of one sample of the car's camera, at severity 2."""
    vehicle = load_vehicle("formula_student")
    frame = sample_frame(1, vehicle, "clear", (vehicle.camera.width, vehicle.camera.height))
    sample = sample_of_frame(frame, SampleKey("one", 0, 0))
    size = sample.inputs["image"].shape[1::-1]
    print(f"image of {size[0]} x {size[1]} px, {len(sample.inputs['scan'].ranges)} beams")
    for name, found in exposed_to(BOTH).items():
        if found.damage is None:
            continue
        faults = [dataclasses.replace(read_fault(name), seed=seed) for seed in range(6)]
        disturbed(sample, faults[0])
        started = time.process_time()
        for fault in faults[1:]:
            disturbed(sample, fault)
        print(f"| {name} | {1000 * (time.process_time() - started) / 5:.1f} ms |", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "judge", "cost"])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("robust_patterns"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.action == "cost":
        cost()
    elif options.action == "judge":
        judge(options.folder)
    else:
        options.folder.mkdir(parents=True, exist_ok=True)
        run(options.folder, options.seeds)


if __name__ == "__main__":
    main()
