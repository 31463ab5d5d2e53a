"""Speed of the simulation: paired frames, images alone, scans alone, by parallel processes.

``python benchmarks/simulation_speed.py [--processes 2] [--frames 150]`` prints frames per second
of all processes together and the processor time of one frame.
"""

import argparse
import json
import multiprocessing
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch read it

import cv2
import torch

from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.samples.frame_sampler import sample_frame, sample_image

SIZE = (640, 384)
SAMPLERS = {"frame": sample_frame, "image": sample_image}


def sample_many(what: str, vehicle: str, level: str, first: int, count: int) -> tuple[float, float]:
    """Wall and processor seconds of sampling ``count`` frames after a warm-up."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    preset, sample = load_vehicle(vehicle), SAMPLERS[what]
    for seed in range(first, first + count):  # fills the caches of textures and panoramas
        sample(seed, preset, level, SIZE)
    start, processor = time.perf_counter(), time.process_time()
    for seed in range(first + count, first + 2 * count):
        sample(seed, preset, level, SIZE)
    return time.perf_counter() - start, time.process_time() - processor


def measure(what: str, options: argparse.Namespace, level: str) -> dict[str, float]:
    """Frames per second of all processes, and milliseconds of processor time per frame."""
    jobs = [
        (what, options.vehicle, level, 2 * options.frames * job, options.frames)
        for job in range(options.processes)
    ]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        times = pool.starmap(sample_many, jobs)
    frames = options.frames
    return {
        "frames_per_s": round(sum(frames / wall for wall, _ in times), 1),
        "processor_ms": round(1e3 * sum(cpu for _, cpu in times) / frames / len(times), 1),
    }


def main() -> None:
    """Measure and print one JSON line per level and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--vehicle", default="formula_student")
    options = parser.parse_args()
    for level in ("varied", "wide"):
        for what in SAMPLERS:
            print(json.dumps({"level": level, "what": what, **measure(what, options, level)}))


if __name__ == "__main__":
    main()
