"""Cost of a cross evaluation against single passes and against evaluating every combination.

    scripts/run.sh python benchmarks/cross_evaluation.py drive --versions 6 --frames 300 -o out.json

The versions are the weights that ship, and copies whose convolutions were shifted by seeded noise.
A single pass reads the frames and runs one version of one stage on each, with nothing behind it.
One thread; CPU times are given beside those of the wall clock, for machines that do other work.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.utils.data import Subset

from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.weights import default_weights
from conegrad_evaluation.cross.cross_evaluation import CrossEvaluation, cross_evaluate
from conegrad_evaluation.cross.cross_report import write_files
from conegrad_evaluation.cross.findings import find, sentences
from conegrad_evaluation.cross.passes import Recording
from conegrad_evaluation.cross.stage_versions import StageVersion, load_version, read_versions
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.system.system import System
from conegrad_evaluation.system.system_metrics import measure

PIPELINE = "camera_lidar"
PARTS = {"detector": "camera", "segmenter": "lidar"}
NOISE = 0.04  # of a version and its number, in standard deviations of each weight tensor
CONFIG = EvaluationConfig(max_range=12.0)


class Clock:
    """Times of the steps of the benchmark [s], by their names."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time within to a step."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu


def write_version(part: str, number: int, folder: Path) -> Path:
    """Weights that ship, shifted by noise that grows with the number of the version."""
    source, path = default_weights(part), folder / f"{part}_{number}.safetensors"
    generator = torch.Generator().manual_seed(number)
    tensors = load_file(source)
    for name, values in tensors.items():
        if values.is_floating_point() and values.ndim > 1:
            noise = torch.randn(values.shape, generator=generator)
            scale = NOISE * number * values.float().std()
            tensors[name] = (values + scale * noise).to(values.dtype)
    with safe_open(source, framework="pt") as file:
        save_file(tensors, path, file.metadata())
    return path


@torch.no_grad()
def single_pass(version: StageVersion, data: Recording) -> None:
    """Read every frame and run one version of one stage on it."""
    system = System(load_pipeline(PIPELINE))
    stage = load_version(system.pipeline, version)
    ports = system.pipeline.specification.stages[version.stage].inputs
    for place in range(len(data)):  # type: ignore[arg-type]
        sample = data[place]
        stage({slot: [sample.inputs[port]] for slot, port in ports.items()}, [sample.context])


def evaluate_directly(chosen: Sequence[StageVersion], data: Recording) -> dict[str, float]:
    """Headline of one combination, loaded and measured as a system of its own."""
    files = {v.stage: {"weights": v.source} for v in chosen if v.source != "default"}
    system = System(load_pipeline(PIPELINE, files))
    system.pipeline.accelerate()
    samples = (data[place] for place in range(len(data)))  # type: ignore[arg-type]
    return measure(system, samples, CONFIG).headline()


def largest_difference(evaluation: CrossEvaluation, direct: dict[int, dict[str, float]]) -> float:
    """Of any figure of any combination that was also evaluated directly."""
    return max(
        abs(evaluation.metrics[place].headline()[name] - value)
        for place, headline in direct.items()
        for name, value in headline.items()
    )


def main() -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bag", type=Path)
    parser.add_argument("--versions", type=int, default=6)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--direct", type=int, default=0, help="combinations, spread evenly; 0: all")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    replay = BagReplay(options.bag)
    data = Subset(replay, range(min(options.frames, len(replay))))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        words = []
        for stage, part in PARTS.items():
            paths = [write_version(part, n, Path(folder)) for n in range(1, options.versions)]
            words.append(f"{stage}={','.join(['default', *map(str, paths)])}")
        versions = read_versions(words, tuple(PARTS))
        for version in (v for of_stage in versions.values() for v in of_stage):
            load_version(load_pipeline(PIPELINE), version)  # exports an engine, found later on
            with clock.timed("single passes"):
                single_pass(version, data)
            print(f"{version}: {clock.wall['single passes']:.1f} s", flush=True)
        with clock.timed("cross evaluation"):
            evaluation = cross_evaluate(
                PIPELINE, versions, [data], CONFIG, cache=Path(folder) / "cache"
            )
        print(f"cross evaluation: {clock.wall['cross evaluation']:.1f} s", flush=True)
        with clock.timed("cross evaluation again"):
            cross_evaluate(PIPELINE, versions, [data], CONFIG, cache=Path(folder) / "cache")
        count = len(evaluation.combinations)
        step = 1 if options.direct in (0, count) else count // options.direct + 1
        direct = {}
        for place in range(0, count, step):
            with clock.timed("direct evaluations"):
                chosen = list(evaluation.combinations[place].chosen.values())
                direct[place] = evaluate_directly(chosen, data)
            print(f"direct: {len(direct)}, {clock.wall['direct evaluations']:.1f} s", flush=True)
        findings = find(evaluation)
        write_files(evaluation, findings, options.output.with_suffix(""))
        report(clock, evaluation, direct, options.output)
        print("\n".join(sentences(evaluation, findings)))


def report(
    clock: Clock, evaluation: CrossEvaluation, direct: dict[int, dict[str, float]], output: Path
) -> None:
    """Print and write times and ratios."""
    count = len(evaluation.combinations)
    found: dict[str, float] = {
        "combinations": count,
        "frames": len(evaluation.frames),
        "direct": len(direct),
    }
    found["largest difference of a figure"] = largest_difference(evaluation, direct)
    for kind, times in (("wall", clock.wall), ("CPU", clock.cpu)):
        all_direct = times["direct evaluations"] * count / len(direct)
        cross = times["cross evaluation"]
        for name, seconds in times.items():
            found[f"{name}, {kind} [s]"] = round(seconds, 2)
        found[f"cross / single passes, {kind}"] = round(cross / times["single passes"], 3)
        found[f"cross / all evaluations, {kind}"] = round(cross / all_direct, 3)
    for name, value in found.items():
        print(f"{name}: {value}")
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
