"""How much of the own car is cut out of simulated clouds, and how many returns of cones with it.

``python benchmarks/own_car.py --drives 60`` samples drives of random LiDARs on random cars past
random places. Returns between 0.05 and 0.3 m above the ground and beyond 0.5 m count, those that
become the scan. "standing": what a single cloud tells. "found": the last of the clouds of a drive,
by all of them.
"""

import argparse

import numpy as np

from conegrad_core.lidar.own_car import OwnCarFinder, standing_car
from conegrad_simulation.lidar.clouds.cloud_sampler import CloudFrame, sample_drive

FIRST_SEED = 960_000_000
SLICE, NEAREST = (0.05, 0.3), 0.5  # [m]


def main() -> None:
    """Print returns of bodywork and of cones, and how many of them are cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drives", type=int, default=60)
    parser.add_argument("--clouds", type=int, default=7, help="of a drive")
    options = parser.parse_args()
    standing, found, searched = np.zeros(4, int), np.zeros(4, int), 0
    for seed in range(FIRST_SEED, FIRST_SEED + options.drives):
        finder = OwnCarFinder()
        for frame in sample_drive(seed, options.clouds).frames:
            points, heights = frame.cloud.points, heights_of(frame)
            finder.add(points, heights)
            standing += counts(frame, heights, standing_car(points, heights))
        if finder.outline is not None:
            searched += 1
            found += counts(frame, heights, finder.outline.contains(points))
    print(f"found in {searched} of {options.drives} drives of {options.clouds} clouds")
    print_row("standing", standing)
    print_row("found", found)


def heights_of(frame: CloudFrame) -> np.ndarray:
    """``(N,)`` heights above the true ground below the LiDAR [m]."""
    return frame.cloud.points @ frame.ground_normal.astype(np.float32) + frame.sensor_height


def counts(frame: CloudFrame, heights: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Returns of the car, those that are cut, returns of cones, those that are cut."""
    ranges = np.hypot(*frame.cloud.points[:, :2].T)
    counted = (heights > SLICE[0]) & (heights < SLICE[1]) & (ranges > NEAREST)
    car, cones = counted & frame.cloud.on_car, counted & frame.cloud.labels
    return np.array([car.sum(), (car & cut).sum(), cones.sum(), (cones & cut).sum()])


def print_row(name: str, row: np.ndarray) -> None:
    """One line of both kinds of returns."""
    car, car_cut, cones, cones_cut = row.tolist()
    print(f"{name:9s} bodywork cut {car_cut} of {car}, cones cut {cones_cut} of {cones}")


if __name__ == "__main__":
    main()
