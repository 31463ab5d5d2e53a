"""Cones from one camera image and one LiDAR scan; needs nothing but conegrad_core.

    python examples/perceive_frame.py

The image and the scan are the first of a simulated drive:
`conegrad simulate -o drive --track random --seed 7`.
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from conegrad_core import Cones, Perception, Scan, Vehicle
from conegrad_core.cones import COLOUR_NAMES

DATA = Path(__file__).parent / "data"


def read_frame() -> tuple[np.ndarray, torch.Tensor]:
    """Image ``(720, 1280, 3)`` uint8 RGB, and ranges ``(1081,)`` of the scan [m]."""
    image = cv2.cvtColor(cv2.imread(str(DATA / "frame.jpg")), cv2.COLOR_BGR2RGB)
    return image, torch.from_numpy(np.loadtxt(DATA / "scan.csv", dtype=np.float32))


def main() -> Cones:
    """Print the cones, nearest first."""
    image, ranges = read_frame()
    car = Vehicle.load("formula_student")
    perception = Perception.load()
    cones = perception(image, Scan(ranges, car.lidar.angles()), car)

    print("   x [m]   y [m]   sigma [m]   existence   colour")
    for row in cones.positions.norm(dim=-1).argsort():
        x, y = cones.positions[row].tolist()
        sigma = float(cones.covariances[row].diagonal().sum().sqrt())
        existence = float(cones.existence_logits[row].sigmoid())
        colour = COLOUR_NAMES[int(cones.colours[row].argmax())]
        print(f"{x:8.2f}{y:8.2f}{sigma:12.3f}{existence:12.3f}   {colour}")
    return cones


if __name__ == "__main__":
    main()
