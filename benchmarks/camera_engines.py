"""Latency of the cone detector per engine: bare forward, and image to detections.

``python benchmarks/camera_engines.py [--exports FOLDER/weights/detector/detector.xml]`` prints
median milliseconds of all engines in turns; without ``--weights`` those of the shipped weights.
``--device cuda`` measures torch on a GPU instead.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector

IMAGE_SHAPE = (720, 1280, 3)
RUNS = [("torch", "fp32"), ("onnx", "fp32"), ("openvino", "fp32"), ("openvino", "bf16")]
ON_GPU = [("torch", "fp32"), ("torch", "bf16"), ("torch", "fp16")]


def median_ms(run: Callable[[], object], count: int) -> float:
    """Median duration of a call after two to warm up [ms]."""
    durations = []
    for _ in range(count + 2):
        start = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        durations.append(time.perf_counter() - start)
    return 1e3 * statistics.median(durations[2:])


def measure(detector: Detector, count: int) -> dict[str, float]:
    """Parts and whole of one detection [ms]."""
    image = np.random.default_rng(0).integers(0, 255, IMAGE_SHAPE, dtype=np.uint8)
    letterbox = detector.letterbox(image)
    pixels = letterbox.apply(image)
    raw = detector.engine.infer([pixels])
    return {
        "forward": median_ms(lambda: detector.engine.infer([pixels]), count),
        "detect": median_ms(lambda: detector([image])[0], count),
        "letterbox": median_ms(lambda: letterbox.apply(image), count),
        "select and pool": median_ms(
            lambda: detector.reduce(raw.boxes_xyxy[0], raw.logits[0], letterbox), count
        ),
    }


def configs(options: argparse.Namespace) -> dict[str, DetectorConfig]:
    """Settings of every run, by a name for people."""
    found = {}
    is_cpu = options.device == "cpu"
    for threads in options.threads if is_cpu else [1]:
        kept: dict[str, Any] = {"device": options.device, "threads": threads}
        for engine, precision in RUNS if is_cpu else ON_GPU:
            name = f"{engine} {precision}, {threads} threads"
            given = {"weights": options.weights, "engine": engine, "precision": precision}
            found[name] = DetectorConfig(**kept, **given)
        for path in options.exports:
            name = f"{path.parent.parent.parent.name}, {threads} threads"
            found[name] = DetectorConfig(**kept, weights=str(path))
    return found


@torch.inference_mode()
def main() -> None:
    """Measure every engine with every number of threads, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="", help="weights file; default: the shipped ones")
    parser.add_argument(
        "--exports", type=Path, nargs="*", default=[], help="files of exported detectors"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--count", type=int, default=10, help="runs per figure and round")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    runs = configs(options)
    detectors = {name: load_detector(config).eval() for name, config in runs.items()}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, detector in detectors.items():
            # As in the nodes: threads of torch that wait would take the cores of other engines.
            is_torch = runs[name].engine == "torch"
            torch.set_num_threads(runs[name].threads if is_torch else 1)
            rounds[name].append(measure(detector, options.count))
    results = {
        name: {part: statistics.median(r[part] for r in of_run) for part in of_run[0]}
        for name, of_run in rounds.items()
    }
    for name, figures in results.items():
        parts = ", ".join(f"{part} {value:.1f} ms" for part, value in figures.items())
        print(f"{name}: {parts}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
