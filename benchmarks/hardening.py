"""Does hardening one sensor weaken the other? Adversarial training of one stage or both, attacked.

From the weights that ship, each seed trains four systems on its own simulated drives with the same
number of steps: ``none`` on intact samples, ``camera`` (the detector, images attacked), ``lidar``
(the segmenter, scans attacked) and ``both`` (both networks, both attacked); the fusion learns along
in all of them. Each is then attacked on drives that no training saw: through the camera, the LiDAR,
and both at once.

    python benchmarks/hardening.py run DATA [--seeds 1 2 3]   # goes on where it was
    python benchmarks/hardening.py table DATA               # the tables
    python benchmarks/hardening.py attacks DATA             # every attack on the weights that ship

Results are files of the folder DATA, one per seed and system. Images are 320 px wide and the steps
few, so that the run ends on a desk: budgets of the attacks are what small training can meet.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conegrad_core.fusion.selection import select_cones
from conegrad_core.losses import EndLoss, EndLossConfig
from conegrad_core.vehicle import load_vehicle
from conegrad_core.whole_file import write_whole
from conegrad_evaluation.attacks.attacked import attacked, end_losses, randomly_changed
from conegrad_evaluation.attacks.threat import read_threat
from conegrad_evaluation.attacks.universal import learn_shared_parts
from conegrad_evaluation.metrics.matching import EvaluationConfig, match_frame
from conegrad_evaluation.port_metrics import MIN_EXISTENCE
from conegrad_evaluation.robustness.frame_sums import sums_of_frames
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import DOMAINS
from conegrad_training.comparison.drive_samples import DriveSamples
from conegrad_training.data.adversarial_training import AdversarialConfig, AdversarialTraining
from conegrad_training.data.augmentation import UNCHANGED
from conegrad_training.data.sample_stream import SampleBatches
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

SIZE = (320, 192)  # [px] of the images and the input of the detector
TRAINING, JUDGED = 24, 12  # frames
TRAINING_SEED, JUDGED_SEED = 610_000, 690_000  # of the tracks
PER_DRIVE = 3  # frames of a drive: 0.6 s apart
STEPS, BATCH = 60, 2
ATTACK_STEPS, TRIES = 5, 16  # of the attacks that judge
INNER_TRIES = 6  # of those in training, which take one step
MAX_RANGE = 12.0  # [m]
CAMERA, LIDAR = "image_pgd:4", "scan_removed:20"
THREATS = {"camera": CAMERA, "lidar": LIDAR, "both": f"{CAMERA}+{LIDAR}"}
PATTERNS = {
    "none": PatternConfig("simultaneous"),
    "camera": PatternConfig("partial", ("detector",)),
    "lidar": PatternConfig("partial", ("segmenter",)),
    "both": PatternConfig("simultaneous"),
}
CLEAN = "intact"
ATTACKS = (
    "image_pgd:2", "image_pgd:4", "image_pgd:8", "image_patch:1", "image_sticker:0.14",
    "scan_moved:0.05", "scan_moved:0.1", "scan_moved:0.2", "scan_removed:10", "scan_removed:20",
    "scan_removed:40", "scan_added:10", "scan_added:20", "scan_added:40",
    "image_pgd:4+scan_moved:0.1", "image_pgd:4+scan_added:20", "image_pgd:4+scan_removed:20",
)  # fmt: skip
PASSES = 8  # of a patch over the frames
RESAMPLES = 2000

Sums = dict[str, list[list[float]]]  # hits and totals of F1 with colour of each frame, by threat


def drive_samples(seed: int, count: int, name: str) -> list[Sample]:
    """The first frames of drives on tracks from a seed on."""
    vehicle = load_vehicle("formula_student")
    frames = DriveFrames(vehicle, DOMAINS["fair"], seed, PER_DRIVE, SIZE)
    return list(DriveSamples(frames, count, name).all())


def hardened(name: str, seed: int, samples: Sequence[Sample]) -> TrainableSystem:
    """The weights that ship, trained in one of the ways."""
    torch.manual_seed(seed)
    system = load_system(SystemConfig(input_width=SIZE[0], input_height=SIZE[1]))
    criterion = EndLoss(EndLossConfig(max_range=MAX_RANGE))
    adversary = None
    if name in THREATS:
        config = AdversarialConfig(
            (THREATS[name],), 0.5, adversarial_steps=1, adversarial_tries=INNER_TRIES
        )
        adversary = AdversarialTraining(config, ["Image", "Scan"], criterion, seed)
    held: Any = samples
    batches = SampleBatches(held, seed=seed, batch=BATCH, steps=STEPS, augmentation=UNCHANGED)
    steps = train(
        system,
        (batches[step] for step in range(STEPS)),
        make_pattern(PATTERNS[name], system),
        criterion,
        make_optimizer(system, OptimizerConfig()),
        cost=TrainingCost(),
        adversary=adversary,
    )
    for report in steps:
        if report.step % 10 == 0:
            print(f"{name}, seed {seed}, step {report.step}: {report.losses}", flush=True)
    return system


def judged(system: System, samples: Sequence[Sample]) -> dict[str, Any]:
    """Sums of F1 and end losses of each frame, intact and under each threat."""
    system.eval().requires_grad_(requires_grad=False)
    criterion = EndLoss(EndLossConfig(max_range=MAX_RANGE))
    variants: dict[str, list[Sample]] = {CLEAN: list(samples)}
    for name, words in THREATS.items():
        threat = read_threat(words)
        variants[name] = [
            changed
            for sample in samples
            for changed in attacked(
                system, [sample], threat, criterion, steps=ATTACK_STEPS, tries=TRIES
            ).samples
        ]
    losses = {
        name: [float(end_losses(system, [sample], criterion)) for sample in of_threat]
        for name, of_threat in variants.items()
    }
    return {"sums": {n: _sums(system, s) for n, s in variants.items()}, "losses": losses}


@torch.no_grad()
def _sums(system: System, samples: Sequence[Sample]) -> list[list[float]]:
    config = EvaluationConfig(max_range=MAX_RANGE)
    results = [
        match_frame(select_cones(system([sample])[0], MIN_EXISTENCE), system.truth(sample), config)
        for sample in samples
    ]
    hits, totals = sums_of_frames(results, config, is_recall=False)
    return np.stack([hits, totals], axis=-1).tolist()


def run(folder: Path, seeds: Sequence[int], names: Sequence[str]) -> None:
    """Train and attack what there is no result of yet."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    tests = drive_samples(JUDGED_SEED, JUDGED, "judged")
    for seed in seeds:
        training: list[Sample] = []
        for name in names:
            path = folder / f"{name}_{seed}.json"
            if path.exists():
                continue
            training = training or drive_samples(TRAINING_SEED + 100 * seed, TRAINING, "training")
            found = judged(hardened(name, seed, training), tests)
            write_whole(path, json.dumps(found).encode())
            f1 = {threat: _f1(np.array(sums)) for threat, sums in found["sums"].items()}
            print(f"{name}, seed {seed}: {f1}", flush=True)


def attacks(folder: Path) -> Iterator[str]:
    """Each attack on the weights that ship, on the same frames, beside random changes."""
    torch.set_num_threads(1)
    tests = drive_samples(JUDGED_SEED, JUDGED, "judged")
    system = load_system(SystemConfig(input_width=SIZE[0], input_height=SIZE[1]))
    system.eval().requires_grad_(requires_grad=False)
    criterion = EndLoss(EndLossConfig(max_range=MAX_RANGE))
    clean = np.array(_sums(system, tests))
    yield f"intact: {_f1(clean):.3f}, end loss {_mean_loss(system, tests, criterion):.2f}"
    yield "| attack | F1 with colour | at random | end loss | at random |"
    yield "|---|---|---|---|---|"
    for words in ATTACKS:
        threat = read_threat(words)
        shared: dict[str, Any] = {}
        if threat.is_shared:
            shared = learn_shared_parts(
                system, tests.__getitem__, range(JUDGED), threat, criterion, passes=PASSES
            )
        found = [
            changed
            for sample in tests
            for changed in attacked(
                system,
                [sample],
                threat,
                criterion,
                steps=0 if threat.is_shared else ATTACK_STEPS,
                tries=TRIES,
                shared=shared,
                learns_shared=False,
            ).samples
        ]
        at_random = randomly_changed(tests, threat)
        cells = [
            *(_with_interval(np.array(_sums(system, s))) for s in (found, at_random)),
            *(f"{_mean_loss(system, s, criterion):.2f}" for s in (found, at_random)),
        ]
        row = f"| `{words}` | " + " | ".join(cells) + " |"
        with (folder / "attacks.md").open("a") as file:
            file.write(row + "\n")
        yield row


def _mean_loss(system: System, samples: Sequence[Sample], criterion: EndLoss) -> float:
    return float(np.mean([float(end_losses(system, [s], criterion)) for s in samples]))


def _with_interval(sums: np.ndarray) -> str:
    draws = np.random.default_rng(0)
    resampled = [_f1(sums[draws.integers(len(sums), size=len(sums))]) for _ in range(RESAMPLES)]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return f"{_f1(sums):.3f} ({low:.3f} to {high:.3f})"


def _f1(sums: np.ndarray) -> float:
    hits, totals = sums.reshape(-1, 2).sum(axis=0)
    return float(hits / totals)


def table(folder: Path) -> Iterator[str]:
    """F1 under each threat, and its difference from ``none``, with 95 % intervals.

    Both seeds and frames are resampled, the same ones for all systems and threats.
    """
    found = {
        name: [json.loads(path.read_text()) for path in sorted(folder.glob(f"{name}_*.json"))]
        for name in PATTERNS
    }
    seeds = min(len(results) for results in found.values())
    columns = (CLEAN, *THREATS)
    sums = {
        (name, column): np.array([result["sums"][column] for result in results[:seeds]])
        for name, results in found.items()
        for column in columns
    }
    frames = next(iter(sums.values())).shape[1]
    yield f"{seeds} seeds, {frames} frames of {frames // PER_DRIVE} drives"
    yield "| hardened | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for name in found:
        cells = [f"{_f1(sums[name, column]):.3f}" for column in columns]
        yield f"| {name} | " + " | ".join(cells) + " |"
    draws = np.random.default_rng(0)
    picks = [
        (draws.integers(seeds, size=seeds), draws.integers(frames, size=frames))
        for _ in range(RESAMPLES)
    ]
    yield "difference from none"
    for name in [name for name in found if name != "none"]:
        cells = [_difference(sums[name, c], sums["none", c], picks) for c in columns]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _difference(
    one: np.ndarray, other: np.ndarray, picks: Sequence[tuple[np.ndarray, np.ndarray]]
) -> str:
    resampled = [_f1(one[rows][:, cols]) - _f1(other[rows][:, cols]) for rows, cols in picks]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return f"{_f1(one) - _f1(other):+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("run", "table", "attacks"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--systems", nargs="+", choices=PATTERNS, default=list(PATTERNS))
    options = parser.parse_args()
    if options.action == "run":
        run(options.data, options.seeds, options.systems)
    else:
        rows = table(options.data) if options.action == "table" else attacks(options.data)
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
