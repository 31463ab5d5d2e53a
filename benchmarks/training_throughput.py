"""Throughput and memory of ``conegrad train`` against the bare steps of the same modules.

``python benchmarks/training_throughput.py`` simulates a drive (1280x720 JPEG images, 1081 beams)
and trains on it as ``conegrad train`` does: bags read by a worker, checks, clipping, tables,
checkpoints, tracking. In turns with it the bare steps run: forward, loss, backward and optimizer
step on letterboxed tensors in memory, nothing else. ``--flat 2000`` also trains that many steps
with a small input and shows whether memory grows.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from conegrad_core.camera.image import Detections
from conegrad_core.camera.letterbox import inputs_from_pixels
from conegrad_core.losses import EndLoss
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.samples.sample import Sample
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track
from conegrad_training.data.sample_stream import SampleBatches
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.loop import StepReport, joined_losses
from conegrad_training.engine.optimizers import make_optimizer
from conegrad_training.engine.training_run import RunConfig, TrainingConfig
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracked_run import run_tracked
from conegrad_training.tracking.tracking import TrackingConfig

RATIO_TARGET, MEMORY_TARGET = 0.85, 3072.0  # share of the bare rate, [MB]
SETTLE = 5  # steps of the loop after each break that do not count: the worker is ahead
IN_MEMORY = 6  # batches of the bare steps
SMALL = (160, 96)  # [px], of images and input, for many steps in little time
SMALL_BATCH = 2
KILOBYTES = 1024.0  # of a megabyte


class Bare:
    """Steps on tensors in memory: the modules of training and their optimizer, nothing else."""

    def __init__(self, config: TrainingConfig, batches: Sequence[Sequence[Sample]]) -> None:
        self._system = load_system(config.system)
        self._system.train_only(
            self._system.end_stages, adapt_statistics=config.run.adapt_statistics
        )
        self._optimizer = make_optimizer(self._system, config.optimizer)
        self._criterion = EndLoss(config.loss)
        self._batches = [(batch, self._inputs(self._system, batch)) for batch in batches]
        self._done = 0

    @staticmethod
    def _inputs(system: TrainableSystem, batch: Sequence[Sample]) -> torch.Tensor:
        letterbox = _module(system, "detector").letterbox
        images = [sample.inputs["image"] for sample in batch]
        pixels = (letterbox(image).apply(image) for image in images)
        return torch.cat([inputs_from_pixels(image) for image in pixels])

    def step(self) -> None:
        """Forward, loss, backward, step."""
        samples, inputs = self._batches[self._done % len(self._batches)]
        detector = _module(self._system, "detector")
        found: list[Detections] = [
            detector.reduce(*rows, detector.letterbox(sample.inputs["image"]))
            for sample, *rows in zip(samples, *detector.engine(inputs), strict=True)
        ]
        segmented = _module(self._system, "segmenter")([s.inputs["scan"] for s in samples])
        outputs = {"detections": found, "segmentation": segmented}
        losses = joined_losses(self._system, samples, outputs, self._criterion)
        self._optimizer.zero_grad()
        torch.stack([loss.mean() for loss in losses.values()]).sum().backward()
        self._optimizer.step()
        self._done += 1


def _module(system: TrainableSystem, stage: str) -> Any:
    """What is inside a stage."""
    found: Any = system.stages[stage]
    return found.module


def settings(steps: int, options: argparse.Namespace, **system: int) -> TrainingConfig:
    """Those of ``conegrad train``, without metrics before and after."""
    run = RunConfig(
        steps=steps,
        batch=options.batch,
        evaluation_frames=0,
        workers=options.workers,
        threads=options.threads,
    )
    return TrainingConfig(run=run, system=SystemConfig(**system))


def trained(
    bag: Path, config: TrainingConfig, watch: Callable[[Iterator[StepReport]], Any]
) -> None:
    """A tracked run; ``watch`` is given its steps."""

    def progress(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        watch(steps)
        return iter(())

    with tempfile.TemporaryDirectory(prefix="conegrad-") as folder:
        tracking = TrackingConfig(tracking_uri=f"sqlite:///{folder}/mlflow.db")
        run_tracked(config, bag_data([bag]), Path(folder) / "run", tracking, progress=progress)


def throughput(bag: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Steps per second of the loop and bare, in alternating blocks of one process."""
    config = settings(options.blocks * (options.steps + SETTLE), options)
    batches = SampleBatches(
        bag_data([bag]).training,
        seed=config.run.seed,
        batch=options.batch,
        steps=IN_MEMORY,
        augmentation=config.augmentation,
    )
    torch.set_num_threads(options.threads or torch.get_num_threads())
    bare = Bare(config, [batches[place] for place in range(IN_MEMORY)])
    bare_costs, loop_costs = Costs(), Costs()

    def watch(steps: Iterator[StepReport]) -> None:
        for _ in range(options.blocks):
            bare_costs.add(bare.step, options.steps)
            Costs().add(lambda: next(steps), SETTLE)
            loop_costs.add(lambda: next(steps), options.steps)

    Costs().add(bare.step, 2)  # warm
    trained(bag, config, watch)
    blocks = zip(bare_costs.seconds, loop_costs.seconds, strict=True)
    ratios = sorted(one / other for one, other in blocks)
    count = options.steps * options.blocks
    return {
        "threads": torch.get_num_threads(),
        "bare_steps_per_s": count / sum(bare_costs.seconds),
        "loop_steps_per_s": count / sum(loop_costs.seconds),
        "ratio": sum(bare_costs.seconds) / sum(loop_costs.seconds),
        "ratio_of_blocks": [ratios[0], statistics.median(ratios), ratios[-1]],
        "processor_s_per_step": {
            "bare": sum(bare_costs.processor) / count,
            "loop": sum(loop_costs.processor) / count,
            "its workers": sum(loop_costs.children) / count,
        },
        "ratio_of_processor_time": sum(bare_costs.processor) / sum(loop_costs.processor),
    }


class Costs:
    """What blocks of calls cost: wall time, processor time here and of child processes [s]."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.processor: list[float] = []
        self.children: list[float] = []

    def add(self, action: Callable[[], object], count: int) -> None:
        """Call several times as one block."""
        before = time.perf_counter(), time.process_time(), processor_of_children()
        for _ in range(count):
            action()
        after = time.perf_counter(), time.process_time(), processor_of_children()
        series = (self.seconds, self.processor, self.children)
        for values, start, end in zip(series, before, after, strict=True):
            values.append(end - start)


def processor_of_children() -> float:
    """Processor time of the processes that this one started and that still run [s]."""
    ticks = 0
    for pid in children():
        for line in _lines(Path("/proc") / pid / "stat"):
            ticks += sum(map(int, line.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def children() -> list[str]:
    """Their numbers."""
    files = Path("/proc/self/task").glob("*/children")
    return [pid for path in files for pid in path.read_text().split()]


def memory(bag: Path, steps: int, options: argparse.Namespace, **system: int) -> dict[str, Any]:
    """Memory of a run, alone in its process, with its workers [MB].

    The peak is that of the training process, and what its workers have for themselves. After each
    tenth of the steps: what all of them use together.
    """
    config = settings(steps, options, **system)
    used: list[float] = []
    peaks: list[float] = []

    def watch(reports: Iterator[StepReport]) -> None:
        for report in reports:
            if (report.step + 1) % max(1, steps // 10) == 0:
                own, workers = kilobytes("self", "smaps_rollup", "Pss:"), children()
                used.append(own + sum(kilobytes(pid, "smaps_rollup", "Pss:") for pid in workers))
                private = sum(kilobytes(pid, "smaps_rollup", "Private_") for pid in workers)
                peaks.append(kilobytes("self", "status", "VmHWM:") + private)

    trained(bag, config, watch)
    return {
        "steps": steps,
        "peak_mb": round(max(peaks) / KILOBYTES),
        "by_tenth_mb": [round(value / KILOBYTES) for value in used],
    }


def kilobytes(pid: str, file: str, field: str) -> float:
    """Sum of the fields of a process in /proc that begin with a name."""
    lines = (line.split() for line in _lines(Path("/proc") / pid / file))
    return float(sum(int(words[1]) for words in lines if words[0].startswith(field)))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended


def alone(function: Callable[..., dict[str, Any]], *arguments: Any, **named: Any) -> dict[str, Any]:
    """Result of a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def main() -> None:
    """Measure and print JSON and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bag", type=Path, default=None, help="default: simulate one")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument(
        "--blocks", type=int, default=4, help="turns of loop and bare steps; 0: memory alone"
    )
    parser.add_argument("--steps", type=int, default=20, help="per block")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its choice")
    parser.add_argument("--workers", type=int, default=1, help="processes that read")
    parser.add_argument("--flat", type=int, default=0, help="steps that show whether memory grows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="conegrad-") as folder:
        bag = options.bag or _simulated(Path(folder) / "drive")
        if options.blocks:
            rates = alone(throughput, bag, options)
            print(json.dumps(rates, indent=2), flush=True)
            print(f"ratio {rates['ratio']:.3f} (target >= {RATIO_TARGET}); on a busy machine the")
            print(f"ratio of processor time says more: {rates['ratio_of_processor_time']:.3f}")
        peak = alone(memory, bag, 20, options)
        print(json.dumps(peak), flush=True)
        print(f"peak {peak['peak_mb']} MB (target <= {MEMORY_TARGET:.0f})", flush=True)
        if options.flat:
            small = _simulated(Path(folder) / "small", SMALL)
            options.batch = SMALL_BATCH
            width, height = SMALL
            size = {"input_width": width, "input_height": height}
            print(json.dumps(alone(memory, small, options.flat, options, **size)))


def _simulated(path: Path, size: tuple[int, int] = (1280, 720)) -> Path:
    """A drive of 10 s with 150 images of a size [px]."""
    vehicle = load_vehicle("formula_student")
    camera = dataclasses.replace(vehicle.camera, width=size[0], height=size[1], intrinsics=None)
    vehicle = dataclasses.replace(vehicle, camera=camera)
    track = make_track("random", 4001, vehicle)
    bag = BagConfig(seconds=10.0, seed=4001, camera_rate=15.0)
    return simulate_bag(path, track, vehicle, DriveConfig(), bag, workers=2).path


if __name__ == "__main__":
    main()
