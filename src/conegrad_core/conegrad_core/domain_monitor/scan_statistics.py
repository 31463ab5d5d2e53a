"""Statistics of a planar scan that change with the LiDAR, its place, weather and surroundings."""

import numpy as np
import numpy.typing as npt

from conegrad_core.lidar.scan import Scan

Floats = npt.NDArray[np.float64]

NEAR = 1.5  # [m]
FAR = 15.0  # [m]
JUMP = 0.3  # [m] between neighbours, above which they are of different things
EPSILON = 1e-3

SCAN_STATISTICS = (
    "returns", "near", "far", "log_range_10", "log_range_50", "log_range_90", "roughness",
    "isolated", "edges", "gaps", "equal_neighbours", "log_step", "log_beams",
)  # fmt: skip


def scan_statistics(scan: Scan) -> Floats:
    """``(13,)`` statistics in the order of :data:`SCAN_STATISTICS`.

    Args:
        scan: of at least two beams.

    Raises:
        ValueError: if it has fewer.
    """
    ranges = scan.ranges.detach().cpu().numpy().astype(np.float64)
    angles = scan.angles.detach().cpu().numpy().astype(np.float64)
    if len(ranges) < 2:
        raise ValueError(f"scan has {len(ranges)} beams, expected 2 or more")
    usable = np.isfinite(ranges) & (ranges > 0)
    held = ranges[usable]
    low, middle, high = np.percentile(held, [10, 50, 90]) if len(held) else (EPSILON,) * 3
    steps = np.abs(np.diff(ranges))
    both = usable[1:] & usable[:-1]
    same = both & (steps < JUMP)
    curved = np.abs(np.diff(ranges, n=2))[same[1:] & same[:-1]]
    before, after = np.append(True, ~same), np.append(~same, True)
    found = [
        usable.mean(),
        _share(held < NEAR),
        _share(held > FAR),
        np.log(low + EPSILON),
        np.log(middle + EPSILON),
        np.log(high + EPSILON),
        np.log(np.median(curved) + EPSILON) if len(curved) else np.log(EPSILON),
        _share((before & after)[usable]),
        _share((steps >= JUMP)[both]),
        np.abs(np.diff(usable.astype(np.int8))).mean(),
        _share((steps < 1e-6)[both]),
        np.log(abs(angles[-1] - angles[0]) / (len(angles) - 1) + 1e-6),
        np.log(len(ranges)),
    ]
    return np.asarray(found, dtype=np.float64)


def _share(mask: npt.NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else 0.0
