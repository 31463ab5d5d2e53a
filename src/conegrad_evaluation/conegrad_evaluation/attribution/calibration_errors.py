"""Which errors of mounting and stamps a drive shows beyond doubt."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from conegrad_core.lidar.scan import SegmentedScan
from conegrad_evaluation.attribution.camera_fit import Sight, camera_data, fit_camera
from conegrad_evaluation.attribution.lidar_fit import fit_lidar, lidar_data
from conegrad_evaluation.attribution.refinement import (
    CAMERA,
    CAMERA_TIME,
    LIDAR,
    LIDAR_TIME,
    Estimate,
    Refinement,
)
from conegrad_evaluation.attribution.robust_fit import Fit
from conegrad_evaluation.port_truths.scene import TrueScene

MIN_PAIRS = 30  # cones found in picture or scan, fewer say nothing
MIN_COVERAGE = 1 / 3  # of the true cones; what finds fewer finds them elsewhere, too
TOLERANCES = {"turn": math.radians(0.5), "shift": 0.035, "time": 0.02}  # [rad], [m], [s]
SIGNIFICANT = 4.0  # deviations
# How fast the velocities of a car change: while the stamps are off they count as constant.
ACCELERATIONS = {"turn": 3.0, "shift": 6.0, "time": 0.0}  # [rad/s^2], [m/s^2]


def measure_errors(
    scenes: Sequence[TrueScene],
    outputs: Mapping[str, Sequence[Any]],
    twists: Sequence[Tensor | None],
) -> Refinement:
    """Errors of mounting and stamps, where they exceed both tolerance and doubt.

    Args:
        scenes: by the given calibration and motion.
        outputs: values of the kinds ``Detections`` and ``SegmentedScan`` as far as the pipeline
            has them, one per scene.
        twists: ``(3,)`` velocity of the LiDAR in each frame; None where it is not known.
    """
    mounting: dict[str, Estimate] = {}
    time: dict[str, Estimate] = {}
    can_move = any(twist is not None for twist in twists)
    if "Detections" in outputs:
        pairs = zip(scenes, outputs["Detections"], twists, strict=True)
        data = camera_data([Sight(*pair) for pair in pairs])
        if data is not None:
            fit = fit_camera(data, [True] * 6 + [can_move])
            if _is_usable(fit, len(data.positions)):
                _take(fit, (*CAMERA, CAMERA_TIME), mounting, time)
    if "SegmentedScan" in outputs:
        scans: Sequence[SegmentedScan] = outputs["SegmentedScan"]
        beams = lidar_data(scenes, scans, twists)
        fit = fit_lidar(beams, [True] * 3 + [can_move])
        if _is_usable(fit, len(beams.positions)):
            _take(fit, (*LIDAR, LIDAR_TIME), mounting, time)
    return Refinement(mounting, time)


def _is_usable(fit: Fit, cones: int) -> bool:
    """Enough of the true cones were found."""
    return fit.rows >= max(MIN_PAIRS, MIN_COVERAGE * cones)


def _take(
    fit: Fit, names: Sequence[str], mounting: dict[str, Estimate], time: dict[str, Estimate]
) -> None:
    """Keep the estimates of a sensor whose mounting, or whose stamps, are wrong."""
    deviations = fit.covariance.diagonal().clamp(min=0.0).sqrt()
    found = {
        name: Estimate(float(value), float(deviation))
        for name, value, deviation in zip(names, fit.values, deviations, strict=True)
    }
    of_time = {name: estimate for name, estimate in found.items() if name.endswith("time")}
    of_mounting = {name: estimate for name, estimate in found.items() if name not in of_time}
    delay = max((abs(e.value) for e in of_time.values()), default=0.0)
    if any(is_wrong(name, estimate, delay) for name, estimate in of_mounting.items()):
        mounting |= of_mounting
    if any(is_wrong(name, estimate) for name, estimate in of_time.items()):
        time |= of_time


def is_wrong(name: str, estimate: Estimate, delay: float = 0.0) -> bool:
    """An error is larger than its tolerance, and than chance.

    Args:
        name: of the error.
        estimate: of it.
        delay: error of the stamps of the same sensor [s].
    """
    kind = next((kind for kind in ("turn", "time") if kind in name), "shift")
    tolerance = TOLERANCES[kind] + 0.5 * ACCELERATIONS[kind] * delay**2
    return abs(estimate.value) > max(tolerance, SIGNIFICANT * estimate.deviation)
