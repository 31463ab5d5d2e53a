"""The car's pipeline with a stage of one's own in it.

pip install --no-deps ./examples/own_stage
python examples/run_own_stage.py
"""

from pathlib import Path

from perceive_frame import read_frame

from conegrad_core import Cones, Perception, Scan, Vehicle

PIPELINE = Path(__file__).parent / "own_stage" / "filtered_camera_lidar.yaml"


def main() -> tuple[Cones, Cones]:
    """Print how many cones both pipelines give for one frame; returns the cones of both."""
    image, ranges = read_frame()
    car = Vehicle.load("formula_student")
    scan = Scan(ranges, car.lidar.angles())
    given = Perception.load()(image, scan, car)
    filtered = Perception.load(PIPELINE)(image, scan, car)
    print(f"{len(given.positions)} cones, with the filter {len(filtered.positions)}")
    return given, filtered


if __name__ == "__main__":
    main()
