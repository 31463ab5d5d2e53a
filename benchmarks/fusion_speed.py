"""Latency of the fusion by number of segments, on one thread.

``python benchmarks/fusion_speed.py [--boxes 40] [--count 300]`` prints median and 95th percentile
in milliseconds: the forward operation by operation, the recorded forward as the node runs it, and
the selection of the published cones.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch

from conegrad_core.camera.image import Detections
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.vehicle import load_vehicle


def random_scan(segments: int, beams: int = 1081) -> SegmentedScan:
    """A scan of cone-sized objects at equal angles and random ranges."""
    ranges = torch.full((beams,), torch.nan)
    for start in range(5, beams - 8, max(12, beams // segments))[:segments]:
        ranges[start : start + 5] = 2.0 + 12 * torch.rand(())
    angles = torch.linspace(-math.radians(135), math.radians(135), beams)
    return SegmentedScan(ranges, angles, torch.randn(beams) * 3)


def random_detections(boxes: int) -> Detections:
    """Boxes of random place and size in an image of 1280x720."""
    corner = torch.rand(boxes, 2) * torch.tensor([1200.0, 400.0]) + torch.tensor([0.0, 250.0])
    size = 10 + 60 * torch.rand(boxes, 2)
    return Detections(torch.cat([corner, corner + size], dim=1), torch.randn(boxes, 4) - 3)


def durations_ms(run: Callable[[], object], count: int) -> tuple[float, float]:
    """Median and 95th percentile of a call after ten to warm up."""
    durations = []
    for _ in range(count + 10):
        start = time.perf_counter()
        run()
        durations.append(1e3 * (time.perf_counter() - start))
    return statistics.median(durations[10:]), sorted(durations[10:])[int(0.95 * count)]


def main() -> None:
    """Measure few, many and the most segments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=40)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    vehicle = load_vehicle("formula_student")
    calibration = Calibration(
        vehicle.camera.model(), vehicle.camera_from_lidar(), vehicle.lidar_height
    )
    fuser = Fuser().eval()
    traced = TracedFuser(fuser)
    detections = random_detections(options.boxes)
    motion = torch.tensor([-0.1, 0.0, 0.01])
    with torch.inference_mode():
        for segments in (14, 30, 48):
            scan = random_scan(segments)
            cones = fuser(scan, detections, calibration, motion)
            found = len(cones.positions) - options.boxes
            forward = durations_ms(
                lambda scan=scan: fuser(scan, detections, calibration, motion), options.count
            )
            recorded = durations_ms(
                lambda scan=scan: traced(scan, detections, calibration, motion), options.count
            )
            select = durations_ms(lambda cones=cones: select_cones(cones), options.count)
            print(
                f"{found} segments, {options.boxes} boxes: fuse {forward[0]:.2f} ms "
                f"(p95 {forward[1]:.2f}), recorded {recorded[0]:.2f} ms (p95 {recorded[1]:.2f}), "
                f"select {select[0]:.2f} ms (p95 {select[1]:.2f})"
            )


if __name__ == "__main__":
    main()
