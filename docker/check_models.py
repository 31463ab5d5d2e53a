"""Run every stage of the default pipeline once, by each engine of a CPU: does this image perceive?

With arguments, one engine alone on a GPU, and weights of the detector:
``check_models.py tensorrt detector.engine``.
"""

import sys
from typing import Any

import numpy as np
import torch

from conegrad_core import Perception, Scan, Vehicle

ENGINES = ("torch", "onnx", "openvino")
VEHICLE = "formula_student"


def settings(engine: str, device: str, weights: str) -> dict[str, dict[str, Any]]:
    """Of the two networks; no engine of a GPU runs the one of the scan."""
    segmenter = "torch" if engine == "tensorrt" else engine
    return {
        "detector": {"engine": engine, "device": device, "weights": weights},
        "segmenter": {"engine": segmenter, "device": "cpu"},
    }


def check(engine: str, device: str, weights: str = "") -> None:
    """Perceive an empty frame.

    Raises:
        EngineError: if the engine cannot run here.
    """
    car = Vehicle.load(VEHICLE)
    height, width = car.camera.height, car.camera.width
    angles = car.lidar.angles()
    perception = Perception.load(settings=settings(engine, device, weights))
    image = np.zeros((height, width, 3), dtype=np.uint8)
    cones = perception(image, Scan(torch.full_like(angles, torch.nan), angles), car)
    print(f"{engine} on {device}: both models ran, {len(cones.positions)} cones")


def main() -> None:
    """Entry point."""
    if len(sys.argv) > 1:
        check(sys.argv[1], "cuda", *sys.argv[2:])
        return
    for engine in ENGINES:
        check(engine, "cpu")


if __name__ == "__main__":
    main()
