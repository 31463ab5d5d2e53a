"""Judges the forecast on cases that it was not fitted to: predicted against realised gains.

A case is a start (a system that something is wrong with) on simulated drives of its own. Each
option of the forecast is trained for real from it, and the gain of ``f1_colour`` on held-out drives
is compared with the predicted one.

    python benchmarks/forecast_cases.py realise DATA [--seeds 1 2]   # trains; goes on where it was
    python benchmarks/forecast_cases.py probe DATA                   # the probes of the forecast
    python benchmarks/forecast_cases.py cost DATA                    # in CPU time
    python benchmarks/forecast_cases.py fit DATA                     # by the development cases
    python benchmarks/forecast_cases.py judge DATA                   # the table

Results are appended to JSON lines files in the folder DATA, one line per training or probe.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import least_squares
from torch.utils.data import Dataset

from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.attribution.outcomes import outcome
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import read_fault
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system_metrics import measure
from conegrad_simulation.samples.drive_frames import DriveFrames
from conegrad_simulation.scene.domain import DOMAINS, Domain
from conegrad_simulation.scene.world import PRESETS
from conegrad_training.comparison.degradation import degrade
from conegrad_training.data.sample_stream import evenly
from conegrad_training.data.simulated_samples import sample_of_frame
from conegrad_training.engine.training_run import Data, RunConfig, TrainingConfig
from conegrad_training.forecast.evidence import Evidence, evidence_of
from conegrad_training.forecast.forecast import ForecastConfig, Forecaster
from conegrad_training.forecast.judgement import Outcome, by_case, judge
from conegrad_training.forecast.options import options_of
from conegrad_training.forecast.prediction import FITTED, Constants, predict
from conegrad_training.forecast.trials.kept_outputs import OutputStore
from conegrad_training.forecast.trials.option_training import OptionTraining, restore, weights_of
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

IMAGE_SIZE = (320, 180)  # [px]
SYSTEM = SystemConfig(input_width=320, input_height=192)
STEPS, BATCH = 40, 2
SETTINGS = ForecastConfig()
REALISED, EVIDENCE = "realised.jsonl", "evidence.jsonl"
OPTIONS = ("detector", "segmenter", "all", "fusion", "calibration")
TRAINING_FRAMES, TEST_FRAMES, PER_DRIVE = 40, 40, 8
TRAINING_DRIVES, TEST_DRIVES, PER_CASE = 5_000_000, 6_000_000, 100  # seeds of tracks


def noise(stage: str, strength: float, seed: int) -> dict[str, Any]:
    """Degradation: noise of all convolutions of a network."""
    return {"kind": "add_weight_noise", "stage": stage, "strength": strength, "seed": seed}


def low(stage: str, amount: float) -> dict[str, Any]:
    """Degradation: lowered logits of a network."""
    return {"kind": "lower_logits", "stage": stage, "amount": amount}


@dataclass(frozen=True)
class Case:
    """A start.

    Attributes:
        name: of the case.
        kind: what is wrong, for the table.
        domain: world of its drives: a preset, or a domain of the simulation.
        damages: degradations of networks.
        faults: of its samples, in training and test.
    """

    name: str
    kind: str
    domain: str = "clear"
    damages: Sequence[Mapping[str, Any]] = ()
    faults: Sequence[str] = field(default_factory=tuple)


D, S = "detector", "segmenter"
DEVELOPMENT = (
    Case("d01", "control"),
    Case("d02", "detector noised 0.35", damages=[noise(D, 0.35, 11)]),
    Case("d03", "detector noised 0.55", damages=[noise(D, 0.55, 12)]),
    Case("d04", "segmenter noised 1.2", damages=[noise(S, 1.2, 13)]),
    Case("d05", "camera pitched 2 deg", faults=["camera_pitch:degrees=2"]),
    Case("d06", "dusk and rain", "dusk_rain"),
    Case("d07", "both noised", damages=[noise(D, 0.45, 15), noise(S, 1.0, 15)]),
    Case("d08", "hue turned 40 deg", faults=["image_hue:degrees=40"]),
    Case(
        "d09",
        "camera turned 1.5 deg, segmenter noised",
        damages=[noise(S, 1.0, 17)],
        faults=["camera_yaw:degrees=1.5"],
    ),
    Case("d10", "dusk, detector noised", "dusk_rain", [noise(D, 0.4, 16)]),
)
JUDGED = (
    Case("j01", "control"),
    Case("j02", "control, low sun", "low_sun"),
    Case("j03", "detector noised 0.3", damages=[noise(D, 0.3, 31)]),
    Case("j04", "detector noised 0.45", damages=[noise(D, 0.45, 32)]),
    Case("j05", "detector noised 0.6", damages=[noise(D, 0.6, 33)]),
    Case("j06", "detector lowered by 3", damages=[low(D, 3.0)]),
    Case("j07", "detector lowered by 6", damages=[low(D, 6.0)]),
    Case("j08", "segmenter noised 1.4", damages=[noise(S, 1.4, 34)]),
    Case("j09", "segmenter lowered by 5", damages=[low(S, 5.0)]),
    Case("j10", "segmenter lowered by 10", damages=[low(S, 10.0)]),
    Case("j11", "both lowered", damages=[low(D, 4.0), low(S, 5.0)]),
    Case("j12", "both noised", damages=[noise(D, 0.5, 35), noise(S, 1.2, 35)]),
    Case("j13", "dusk and rain", "dusk_rain"),
    Case("j14", "harsh sun, segmenter noised", "harsh_sun", [noise(S, 1.0, 36)]),
    Case("j15", "indoor, detector noised", "indoor", [noise(D, 0.4, 37)]),
    Case("j16", "red and blue exchanged", faults=["image_channels_swapped:share=1"]),
    Case("j17", "images out of focus", faults=["image_defocus:2"]),
    Case("j18", "images noisy", faults=["image_noise:3"]),
    Case("j19", "ranges noisy", faults=["scan_range_noise:2"]),
    Case("j20", "half of the beams dropped", faults=["scan_dropped_beams:2"]),
    Case("j21", "camera rolled 2 deg", faults=["camera_roll:3"]),
    Case("j22", "camera 15 cm to the left", faults=["camera_moved:y=15"]),
    Case("j23", "camera pitched -2 and turned -1", faults=["camera_pitch:degrees=-2",
                                                        "camera_yaw:degrees=-1"]),
    Case("j24", "turned, detector noised", "clear", [noise(D, 0.45, 38)], ["camera_yaw:3"]),
    Case("j25", "dusk, camera pitched", "dusk_rain", faults=["camera_pitch:degrees=2.5"]),
    Case("j26", "sodium evening, sensors moved", "sodium_evening"),
)  # fmt: skip
CASES = DEVELOPMENT + JUDGED


class CaseSamples(Dataset[Sample]):
    """Frames of drives of a case, each rendered when it is first asked for."""

    def __init__(self, case: Case, first: int, count: int) -> None:
        domain = DOMAINS.get(case.domain) or Domain(PRESETS[case.domain])
        self._case, self._count, number = case, count, 1 + CASES.index(case)
        self._frames = DriveFrames(
            load_vehicle("formula_student"),
            domain,
            first + PER_CASE * number,
            PER_DRIVE,
            IMAGE_SIZE,
        )
        self._faults = [read_fault(text, seed=number) for text in case.faults]
        self._made: dict[int, Sample] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> Sample:
        if place not in self._made:
            if not 0 <= place < self._count:
                raise IndexError(place)
            key = SampleKey(f"{self._case.name} from {self._frames.first_seed}", place, 0)
            sample = sample_of_frame(self._frames.frame(place), key)
            self._made[place] = disturbed(sample, *self._faults)
        return self._made[place]


class CaseData:
    """System and samples of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.training = CaseSamples(case, TRAINING_DRIVES, TRAINING_FRAMES)
        self.test = CaseSamples(case, TEST_DRIVES, TEST_FRAMES)
        self.system: TrainableSystem = load_system(SYSTEM)
        for damage in case.damages:
            degrade(self.system, damage)
        self.start = weights_of(self.system.pipeline)


def config_of(seed: int) -> TrainingConfig:
    """Settings of the trainings."""
    run = RunConfig(steps=STEPS, batch=BATCH, seed=seed, evaluation_frames=TEST_FRAMES)
    return dataclasses.replace(TrainingConfig(), run=run, system=SYSTEM)


def realise(case: Case, seed: int, done: set[tuple[str, int, str]]) -> Iterator[dict[str, Any]]:
    """Train every option that is not done."""
    config, data, store = config_of(seed), None, OutputStore()
    before: list[tuple[int, int]] = []
    for option in options_of(load_system(SYSTEM)):
        if (case.name, seed, option.name) in done:
            continue
        data = data or CaseData(case)
        restore(data.system.pipeline, data.start)
        before = before or frame_counts(data.system, data.test, config)
        training = OptionTraining(data.system.pipeline, option, data.training, config, store)
        started = time.perf_counter()
        losses = [sum(report.losses.values()) for report in training.steps(STEPS)]
        after = frame_counts(training.system, data.test, config)
        yield {
            "case": case.name, "seed": seed, "option": option.name,
            "before": f1_of(before), "after": f1_of(after), "losses": losses,
            "frames": {"before": before, "after": after},
            "seconds": training.cost.seconds, "wall": time.perf_counter() - started,
        }  # fmt: skip


@torch.no_grad()
def frame_counts(
    system: TrainableSystem, samples: Dataset[Sample], config: TrainingConfig
) -> list[tuple[int, int]]:
    """Right cones, and cones and truth together, of each sample."""
    system.eval()
    found = []
    for place in range(len(samples)):  # type: ignore[arg-type]
        sample = samples[place]
        counts = outcome(system([sample]), [system.truth(sample)], config.evaluation).counts
        found.append((counts.right, counts.predicted + counts.true))
    return found


def f1_of(frames: Sequence[tuple[int, int]]) -> float:
    """``f1_colour`` of the counts of frames."""
    return 2.0 * sum(right for right, _ in frames) / max(sum(both for _, both in frames), 1)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Results that are there; a last line that was cut off is not."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def run_realise(folder: Path, seeds: Sequence[int], cases: Sequence[Case]) -> None:
    """Make the trainings that are missing."""
    path = folder / REALISED
    done = {(row["case"], row["seed"], row["option"]) for row in read_lines(path)}
    for seed in seeds:
        for case in cases:
            for row in realise(case, seed, done):
                write_line(path, row)
                shown = f"{row['before']:.3f} -> {row['after']:.3f}"
                print(case.name, case.kind, seed, row["option"], shown, flush=True)


def run_probe(folder: Path, cases: Sequence[Case]) -> None:
    """Gather the evidence of the forecasts that are missing."""
    path = folder / EVIDENCE
    done = {row["case"] for row in read_lines(path)}
    for case in cases:
        if case.name in done:
            continue
        data = CaseData(case)
        forecaster = forecaster_of(data)
        render(forecaster, data)
        started = time.process_time()
        evidence = forecaster.look().evidence
        seconds = time.process_time() - started
        write_line(path, {"case": case.name, "seconds": seconds, "evidence": evidence.to_dict()})
        print(case.name, case.kind, f"{seconds:.2f} s", predicted_text(evidence), flush=True)


def forecaster_of(data: CaseData) -> Forecaster:
    """The forecast of a case, of trainings of seed 1."""
    samples = Data(data.training, data.test, (data.case.name,))
    return Forecaster(config_of(1), samples, SETTINGS, data.system)


def render(forecaster: Forecaster, data: CaseData) -> None:
    """Render what the forecast will look at: rendering is no part of its cost."""
    for place in range(TRAINING_FRAMES):
        data.training[place]
    chosen = evenly(data.test, SETTINGS.probe_frames)
    for place in range(len(chosen)):  # type: ignore[arg-type]
        chosen[place]


def predicted_text(evidence: Evidence) -> str:
    """Predicted gains in one line."""
    return ", ".join(f"{name} {p.gain:+.3f}" for name, p in predict(evidence).items())


def run_cost(case: Case) -> None:
    """CPU time of the forecast against that of the trainings, measured alike."""
    data, config = CaseData(case), config_of(1)
    forecaster, samples = forecaster_of(data), list(data.training)[: 10 * BATCH]
    measure(data.system, data.test, config.evaluation)  # renders, and warms up
    started = time.process_time()
    measure(data.system, data.test, config.evaluation)
    of_evaluation, total = time.process_time() - started, 0.0
    for option in forecaster.options:
        restore(data.system.pipeline, data.start)
        training = OptionTraining(data.system.pipeline, option, samples, config, keep=False)
        started = time.process_time()
        list(training.steps(10))
        total += STEPS / 10 * (time.process_time() - started)
    restore(data.system.pipeline, data.start)
    started = time.process_time()
    forecaster.look()
    seconds, count = time.process_time() - started, len(forecaster.options)
    whole = total + 2 * count * of_evaluation
    print(f"forecast {seconds:.2f} s; {count} trainings: steps {total:.2f} s")
    print(f"one evaluation {of_evaluation:.2f} s; with those before and after {whole:.2f} s")
    print(f"share of the steps {seconds / total:.3f}, of the trainings {seconds / whole:.3f}")


def read_outcomes(
    folder: Path, cases: Sequence[Case], constants: Constants = FITTED
) -> list[Outcome]:
    """Predicted and realised gain of every training of some cases that has both."""
    gains = gains_of(folder)
    found, chosen = [], {case.name for case in cases}
    for row in read_lines(folder / EVIDENCE):
        predictions = predict(evidence_of(row["evidence"]), constants)
        for option, p in predictions.items():
            of_seeds = gains.get((row["case"], option))
            if of_seeds and row["case"] in chosen:
                mean = sum(of_seeds.values()) / len(of_seeds)
                found.append(Outcome(row["case"], option, p.gain, p.low, p.high, mean))
    return found


def run_fit(folder: Path) -> None:
    """Fit the constants on the development cases, and the interval on cases left out of a fit."""
    names = ("half_decline", "loss_of_training")
    bounds = ([0.02, -0.02], [1.0, 0.05])

    def fitted(cases: Sequence[Case]) -> Constants:
        def misses(values: Sequence[float]) -> list[float]:
            constants = dataclasses.replace(FITTED, **dict(zip(names, values, strict=True)))
            found = read_outcomes(folder, cases, constants)
            return [each.predicted - each.realised for each in found]

        start = [getattr(FITTED, name) for name in names]
        start = [min(max(v, a + 1e-3), b - 1e-3) for v, a, b in zip(start, *bounds, strict=True)]
        values = least_squares(misses, start, bounds=bounds, loss="soft_l1", f_scale=0.03).x
        return dataclasses.replace(FITTED, **dict(zip(names, map(float, values), strict=True)))

    print(fitted(DEVELOPMENT))
    left_out = [
        outcome
        for case in DEVELOPMENT
        for outcome in read_outcomes(
            folder, [case], fitted([other for other in DEVELOPMENT if other != case])
        )
    ]
    print("cases left out of the fit:", judge(left_out))
    scaled = [abs(o.predicted - o.realised) / (0.04 + 0.3 * abs(o.predicted)) for o in left_out]
    factor = float(np.quantile(scaled, 0.9))
    print(f"interval: error_floor {0.04 * factor:.3f}, error_slope {0.3 * factor:.3f}")


def seed_spread(folder: Path) -> float:
    """Standard deviation of the gain between seeds of one training, pooled; NaN without any."""
    gains = [list(of_seeds.values()) for of_seeds in gains_of(folder).values()]
    variances = [float(np.var(of_one, ddof=1)) for of_one in gains if len(of_one) > 1]
    return float(np.sqrt(np.mean(variances))) if variances else float("nan")


def gains_of(folder: Path) -> dict[tuple[str, str], dict[int, float]]:
    """Realised gain of every training by case and option, and then by seed."""
    gains: dict[tuple[str, str], dict[int, float]] = {}
    for row in read_lines(folder / REALISED):
        of_seeds = gains.setdefault((row["case"], row["option"]), {})
        of_seeds[row["seed"]] = row["after"] - row["before"]
    return gains


def of_another_seed(folder: Path) -> list[Outcome]:
    """The best that a forecast can be: the gain of one seed as the forecast of another."""
    return [
        Outcome(case, option, gain, gain, gain, of_seeds[first])
        for (case, option), of_seeds in gains_of(folder).items()
        for first, *others in [sorted(of_seeds)]
        for gain in (of_seeds[seed] for seed in others[:1])
    ]


def resampled(outcomes: Sequence[Outcome], spread: float, count: int = 2000) -> str:
    """Intervals of 95 % by drawing starts with replacement."""
    rng, groups = np.random.default_rng(1), list(by_case(outcomes).values())
    found = []
    for _ in range(count):
        rows = [
            row._replace(case=str(number))
            for number, place in enumerate(rng.integers(len(groups), size=len(groups)))
            for row in groups[place]
        ]
        drawn = judge(rows, spread)
        found.append((drawn.spearman, drawn.mean_error, drawn.best_choices / drawn.cases))
    low, high = np.quantile(np.array(found), [0.025, 0.975], axis=0)
    names = ("rank correlation", "mean error", "best choices")
    return ", ".join(f"{n} {a:.3f} to {b:.3f}" for n, a, b in zip(names, low, high, strict=True))


def run_judge(folder: Path, spread: float) -> None:
    """The table of the judged cases.

    Args:
        folder: of the results.
        spread: standard deviation of the gain between seeds; NaN if it is not known.
    """
    outcomes = read_outcomes(folder, JUDGED)
    kinds = {case.name: case.kind for case in JUDGED}
    print("| case | start | " + " | ".join(OPTIONS) + " | chosen | best |")
    print("|---|---|" + "---|" * (len(OPTIONS) + 2))
    for name, rows in by_case(outcomes).items():
        found = {row.option: row for row in rows}
        cells = [
            f"{found[o].predicted:+.2f} / {found[o].realised:+.2f}" if o in found else ""
            for o in OPTIONS
        ]
        chosen = max(rows, key=lambda row: row.predicted).option
        best = max(rows, key=lambda row: row.realised).option
        print(f"| {name} | {kinds[name]} | {' | '.join(cells)} | {chosen} | {best} |")
    within = 0.0 if np.isnan(spread) else spread
    print(f"spread of seeds {spread:.4f};", judge(outcomes, within))
    print("95 % by start:", resampled(outcomes, within))
    for option in OPTIONS:
        print(f"{option}:", judge([row for row in outcomes if row.option == option]))
    if twice := of_another_seed(folder):
        print("one seed as the forecast of another:", judge(twice, within))
    misses = sorted(outcomes, key=lambda row: -abs(row.predicted - row.realised))[:8]
    for row in misses:
        print(f"miss: {row.case} {row.option} {row.predicted:+.3f} / {row.realised:+.3f}")


def write_line(path: Path, row: Mapping[str, Any]) -> None:
    """Append a result."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["realise", "probe", "cost", "fit", "judge"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--cases", nargs="*", default=[], help="names, in the order to be made")
    parser.add_argument("--spread", type=float, help="of the gain between seeds, if not measured")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    by_name = {case.name: case for case in CASES}
    cases = [by_name[name] for name in options.cases] or list(CASES)
    if options.action == "realise":
        run_realise(options.folder, options.seeds, cases)
    elif options.action == "probe":
        run_probe(options.folder, cases)
    elif options.action == "cost":
        run_cost(cases[0])
    elif options.action == "fit":
        run_fit(options.folder)
    else:
        measured = options.spread is None
        run_judge(options.folder, seed_spread(options.folder) if measured else options.spread)


if __name__ == "__main__":
    main()
