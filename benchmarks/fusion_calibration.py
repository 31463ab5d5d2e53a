"""Calibrates the fusion's scalars to frozen networks, and evaluates them on other drives.

``python benchmarks/fusion_calibration.py DRIVE... --judge DRIVE... -o FOLDER`` runs detector and
scan network once on every frame and keeps what they make. The fusion alone then learns on the first
drives by the end loss (``fusion_only``), and its metrics on the drives to judge are printed before
and after, at 12 and 20 m. FOLDER gets ``fusion.safetensors``, which ``fuser.weights`` loads, and
``calibration.json`` with scalars, settings and metrics, and ``error_regions.png``: what the 50 and
90 % regions of the covariances hold, of all drives to judge within 20 m.

Simulated drives have an exact calibration and odometry: while it learns, the stated errors of both
count as 0. The metrics are those of the settings as they ship. Nothing is chosen by the drives to
judge. ``--steps 0`` evaluates only.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.stage import FusionStage
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_core.losses import EndLossConfig
from conegrad_core.pipeline.build import DEFAULT, load_pipeline
from conegrad_core.pipeline.graph import Pipeline
from conegrad_data.recording.motion import moved_truth
from conegrad_evaluation.metrics.error_regions import ALL
from conegrad_evaluation.metrics.evaluator import Evaluation, Evaluator
from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.report.figure_style import png_bytes, report_style
from conegrad_evaluation.report.region_plot import region_plot
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.training_run import RunConfig, TrainingConfig
from conegrad_training.forecast.options import FUSION, Option
from conegrad_training.forecast.trials.kept_outputs import KeptOutputs, OutputStore
from conegrad_training.forecast.trials.option_training import OptionTraining
from conegrad_training.patterns.patterns import PatternConfig

FUSER = "fuser"  # stage of the pipeline
EXACT = {"camera_angle_error": 0.0, "camera_range_error": 0.0, "odometry_error": 0.0}
RANGES = (12.0, 20.0)  # [m]
PARTS = {
    "covariances": (
        "range_noise", "range_growth", "scatter_gain", "bearing_noise", "position_floor",
        "foot_noise", "foot_error", "height_noise", "height_error", "column_noise", "column_error",
        "pitch_noise",
    ),
    "lidar": ("beam_gain", "coverage_gain", "lidar_bias"),  # what a segment says about a cone
}  # fmt: skip
COVARIANCES = "covariances"
DIGITS = 3  # of the scalars


class SampleList(Dataset[Sample]):
    """Samples in memory."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


def kept_samples(pipeline: Pipeline, path: Path, store: OutputStore) -> list[Sample]:
    """Samples of a drive without images and scans; what the networks make of them is in the store.

    Args:
        pipeline: with the networks as they run on the car.
        path: the drive.
        store: is filled.
    """
    ports = pipeline.specification.stages[FUSER].inputs.values()
    samples = []
    data = BagReplay(path)
    for index in range(len(data)):
        sample = data[index]
        values = {port: [value] for port, value in sample.inputs.items()}
        with torch.no_grad():
            made = pipeline(values, [sample.context], list(ports))
        store.update({(port, sample.key): made[port][0] for port in ports})
        samples.append(sample._replace(inputs={}))
    data.close()
    return samples


def camera_alone(samples: Sequence[Sample], store: OutputStore) -> list[Sample]:
    """The same samples without their scans, at the stamps of the images.

    Where the LiDAR says where a cone is, errors of the boxes hardly count: only without it the end
    loss tells the noise of the camera.
    """
    alone = []
    for sample in samples:
        key = sample.key._replace(bag=f"{sample.key.bag}, camera alone")
        store["detections", key], store["segmentation", key] = store["detections", sample.key], None
        truth, motion = sample.truth, sample.context.motion
        if motion is not None:
            truth = moved_truth(truth, rigid_inverse(motion))
        truth = truth._replace(visible_lidar=torch.zeros_like(truth.visible_lidar))
        alone.append(sample._replace(truth=truth, key=key))
    return alone


def calibrate(
    samples: Sequence[Sample], store: OutputStore, options: argparse.Namespace
) -> dict[str, float]:
    """Scalars that the fusion learns, rounded."""
    settings = FuserConfig(weights=options.weights, **EXACT)
    pipeline = load_pipeline(DEFAULT, {FUSER: settings}, trainable=True)
    config = TrainingConfig(
        run=RunConfig(steps=options.steps, batch=8, seed=options.seed, final_rate=0.05),
        pattern=PatternConfig(pattern="fusion_only"),
        optimizer=OptimizerConfig(rates=(f"{FUSER}={options.rate}",)),
        loss=EndLossConfig(
            # Far cones of the camera alone are off by more than half a metre.
            gate=2.0 if options.only == COVARIANCES else 0.5,
            max_range=20.0,
            recall_weight=1.0,
            covariance_weight=0.1,
        ),
    )
    training = OptionTraining(
        pipeline, Option(FUSION, config.pattern), SampleList(samples), config, store
    )
    scalars = pipeline.stage(FUSER).module.scalars
    for name, parameter in scalars.named_parameters():
        if options.only and name not in PARTS[options.only]:
            parameter.register_hook(torch.zeros_like)
    for step, report in enumerate(training.steps(options.steps)):
        if step % 10 == 0:
            losses = ", ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
            print(f"step {step}: {losses}", flush=True)
    learned = pipeline.stage(FUSER).scalars()
    fields = FusionStage.from_config(settings).module.scalars.values()
    return {name: float(f"{learned[name]:.{DIGITS}g}") for name in fields}


def evaluate_scalars(
    values: dict[str, float] | None,
    judged: dict[str, list[Sample]],
    store: OutputStore,
    options: argparse.Namespace,
) -> dict[str, dict[str, Evaluation]]:
    """Metrics of each drive and of all, by range."""
    stage = FusionStage.from_config(FuserConfig(weights=options.weights))
    if values is not None:
        stage.module.scalars.set_values(values)
    system = KeptOutputs(load_pipeline(DEFAULT, trainable=True), (FUSER,), store)
    results: dict[str, dict[str, Evaluation]] = {}
    for limit in RANGES:
        config = EvaluationConfig(max_range=limit, bootstrap_block=options.block)
        whole = Evaluator(config)
        for name, samples in judged.items():
            evaluator = Evaluator(config)
            for sample in samples:
                inputs = system.inputs([sample])
                given = {
                    slot: inputs[port]
                    for slot, port in system.pipeline.specification.stages[FUSER].inputs.items()
                }
                with torch.no_grad():
                    (cones,) = stage(given, [sample.context])["cones"]
                whole.frames.append(evaluator.add(select_cones(cones), system.truth(sample)))
            results.setdefault(name, {})[f"{limit:g} m"] = evaluator.result()
        results.setdefault(ALL, {})[f"{limit:g} m"] = whole.result()
    return results


def table(title: str, results: dict[str, dict[str, Evaluation]]) -> str:
    """Markdown rows of the metrics."""
    lines = [
        f"{title}:",
        "",
        "| drive | range | f1_colour | precision | recall | RMSE [m] | ECE | NEES | 50 % regions | "
        "90 % regions, by range |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, by_range in results.items():
        for limit, result in by_range.items():
            regions = result.error_regions[ALL]
            bands = ", ".join(
                f"{band} {number(r.inside_90, 2)}" for band, r in regions.items() if r.count >= 50
            )
            counts = result.total.counts
            cells = [
                number(result.f1_colour), number(counts.precision), number(result.recall),
                number(result.rmse), number(result.reliability.ece),
                number(result.consistency.mean, 2), number(regions[ALL].inside_50, 2),
            ]  # fmt: skip
            lines.append(f"| {name} | {limit} | {' | '.join(cells)} | {bands} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Read the options, learn, evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drives", nargs="*", type=Path, help="to learn from")
    parser.add_argument("--judge", nargs="+", type=Path, required=True, help="to evaluate on")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--only", choices=tuple(PARTS), help="scalars that learn; all if not given")
    parser.add_argument("--rate", type=float, default=3e-2, help="of learning")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--block", type=int, default=15, help="frames of a second")
    parser.add_argument("--weights", default="", help="scalars to begin with")
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks = load_pipeline(DEFAULT)
    networks.accelerate()
    store: OutputStore = {}
    judged = {path.name: kept_samples(networks, path, store) for path in options.judge}
    alone = {"camera alone": camera_alone([s for of in judged.values() for s in of], store)}
    before = evaluate_scalars(None, judged, store, options)
    print(table("before", before), flush=True)
    print(table("before", evaluate_scalars(None, alone, store, options)), flush=True)
    result: dict[str, Any] = {"before": _values(before)}
    last = before
    if options.steps and options.drives:
        samples = [s for path in options.drives for s in kept_samples(networks, path, store)]
        if options.only == COVARIANCES:
            samples += camera_alone(samples, store)
        values = calibrate(samples, store, options)
        print(json.dumps(values, indent=4))
        last = after = evaluate_scalars(values, judged, store, options)
        print(table("after", after))
        print(table("after", evaluate_scalars(values, alone, store, options)))
        result |= {"values": values, "after": _values(after)}
        options.output.mkdir(parents=True, exist_ok=True)
        fuser = FusionStage.from_config(FuserConfig(weights=options.weights)).module
        fuser.scalars.set_values(values)
        fuser.save(options.output / "fusion.safetensors")
    options.output.mkdir(parents=True, exist_ok=True)
    chosen = {**vars(options), "drives": [p.name for p in options.drives], "judge": list(judged)}
    with report_style():
        png = png_bytes(region_plot(last[ALL][f"{RANGES[-1]:g} m"]))
    (options.output / "error_regions.png").write_bytes(png)
    result["options"] = {name: str(value) for name, value in chosen.items() if name != "output"}
    (options.output / "calibration.json").write_text(json.dumps(result, indent=2) + "\n")


def _values(results: dict[str, dict[str, Evaluation]]) -> Any:
    """Headline metrics and regions as JSON values."""
    return {
        name: {
            limit: to_json_values(
                {
                    "f1_colour": result.f1_colour,
                    "precision": result.total.counts.precision,
                    "recall": result.recall,
                    "rmse": result.rmse,
                    "ece": result.reliability.ece,
                    "nees": result.consistency.mean,
                    "regions": result.error_regions[ALL],
                }
            )
            for limit, result in by_range.items()
        }
        for name, by_range in results.items()
    }


if __name__ == "__main__":
    main()
