"""A pipeline with stages and a kind of port of one's own.

pip install --no-deps ./examples/own_pipeline
python examples/run_own_pipeline.py
"""

from pathlib import Path

from perceive_frame import read_frame

from conegrad_core import Cones, Perception, Scan, Vehicle

PIPELINE = Path(__file__).parent / "own_pipeline" / "exposure_camera_lidar.yaml"


def main() -> tuple[Cones, Cones]:
    """Print what both pipelines give for one frame; returns the cones of both."""
    image, ranges = read_frame()
    car = Vehicle.load("formula_student")
    scan = Scan(ranges, car.lidar.angles())
    given = Perception.load()(image, scan, car)
    own = Perception.load(PIPELINE)
    found = own(image, scan, car)
    (exposure,) = own.pipeline({"image": [image]}, ports=["exposure"])["exposure"]
    print(f"exposure {exposure.level:.2f}, of which {exposure.clipped:.1%} is clipped")
    print(f"{len(given.positions)} cones, with the untrained calibration {len(found.positions)}")
    return given, found


if __name__ == "__main__":
    main()
