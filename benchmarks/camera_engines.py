"""Latency of the cone detector per engine: bare forward, and image to detections.

``python benchmarks/camera_engines.py [--weights FILE] [--threads 1 2]`` prints median
milliseconds; without ``--weights`` the shipped ones are used. ``--device cuda`` measures torch on a
GPU instead.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

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


def main() -> None:
    """Measure every engine with every number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="", help="weights file; default: the shipped ones")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--count", type=int, default=50, help="runs per figure")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    results = []
    is_cpu = options.device == "cpu"
    for engine, precision in RUNS if is_cpu else ON_GPU:
        for threads in options.threads if is_cpu else [1]:
            torch.set_num_threads(threads)
            config = DetectorConfig(
                weights=options.weights,
                engine=engine,
                device=options.device,
                precision=precision,
                threads=threads,
            )
            with torch.inference_mode():
                figures = measure(load_detector(config).eval(), options.count)
            setting = {"engine": engine, "precision": precision, "threads": threads}
            results.append({"device": options.device} | setting | figures)
            parts = ", ".join(f"{name} {value:.1f} ms" for name, value in figures.items())
            print(f"{engine:9} {precision} {threads} threads: {parts}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
