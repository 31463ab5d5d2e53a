"""Disturbances of planar scans: noise of the ranges, beams without a return, a blocked sector."""

import math

import numpy as np
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.disturbances.disturbance import Disturbance, Parameters

SCAN = "Scan"  # kind of port
MIN_RANGE = 0.05  # [m], noise leaves no shorter range


def _range_noise(scan: Scan, parameters: Parameters, draws: np.random.Generator) -> Scan:
    """Gaussian noise of each range."""
    noise = torch.from_numpy(draws.normal(0.0, parameters["deviation"], len(scan.ranges)))
    noisy = (scan.ranges + noise.to(scan.ranges)).clamp(min=MIN_RANGE)  # NaN stays NaN
    return scan._replace(ranges=noisy)


def _dropped_beams(scan: Scan, parameters: Parameters, draws: np.random.Generator) -> Scan:
    """Beams at random without a return."""
    dropped = torch.from_numpy(draws.random(len(scan.ranges)) < parameters["share"])
    return scan._replace(ranges=scan.ranges.masked_fill(dropped, math.nan))


def _blocked_sector(scan: Scan, parameters: Parameters, _: np.random.Generator) -> Scan:
    """No return within a sector, as behind dirt on the housing."""
    centre, width = math.radians(parameters["centre"]), math.radians(parameters["width"])
    off = torch.remainder(scan.angles - centre + math.pi, math.tau) - math.pi
    return scan._replace(ranges=scan.ranges.masked_fill(off.abs() <= width / 2, math.nan))


RANGE_NOISE = Disturbance(
    "scan_range_noise", SCAN, "noisy ranges: standard deviation [m]",
    [{"deviation": 0.03}, {"deviation": 0.08}, {"deviation": 0.2}], _range_noise,
)  # fmt: skip
DROPPED_BEAMS = Disturbance(
    "scan_dropped_beams", SCAN, "beams without a return: share of them",
    [{"share": 0.25}, {"share": 0.5}, {"share": 0.75}], _dropped_beams,
)  # fmt: skip
BLOCKED_SECTOR = Disturbance(
    "scan_blocked_sector", SCAN,
    "sector without a return: width, and centre counter-clockwise from ahead [degrees]",
    [{"width": width, "centre": 0.0} for width in (20.0, 45.0, 90.0)],
    _blocked_sector,
)  # fmt: skip
