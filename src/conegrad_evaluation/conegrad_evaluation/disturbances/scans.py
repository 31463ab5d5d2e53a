"""Disturbances of planar scans: noise, missing beams, weather, other LiDARs, no scan.

Fog after Hahner et al., Fog Simulation on Real LiDAR Point Clouds (ICCV 2021), reduced to two
effects: a return is lost with a probability that grows with its range, and some of those beams
return from the fog near the sensor.
"""

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


def _fog(scan: Scan, parameters: Parameters, draws: np.random.Generator) -> Scan:
    """Returns lost by the extinction on both ways, some replaced by backscatter."""
    extinction = 3.0 / parameters["visibility"]  # [1/m], Koschmieder at a contrast of 5 %
    ranges = scan.ranges.numpy()
    kept = np.exp(-2.0 * extinction * np.nan_to_num(ranges))
    lost = draws.random(len(ranges)) > kept
    return _replaced(scan, lost, parameters["backscatter"], draws)


def _rain(scan: Scan, parameters: Parameters, draws: np.random.Generator) -> Scan:
    """Returns lost at drops and films of water at random, some of them returned from drops."""
    lost = draws.random(len(scan.ranges)) < parameters["share"]
    return _replaced(scan, lost, parameters["backscatter"], draws)


def _replaced(scan: Scan, lost: np.ndarray, backscatter: float, draws: np.random.Generator) -> Scan:
    """A scan without some returns; a share of them lies near the sensor instead, never behind."""
    near = np.minimum(draws.gamma(2.0, 1.5, len(lost)) + MIN_RANGE, np.nan_to_num(scan.ranges))
    returned = (draws.random(len(lost)) < backscatter) & (near > MIN_RANGE)
    values = torch.from_numpy(np.where(returned, near, np.nan)).to(scan.ranges)
    return scan._replace(ranges=torch.where(torch.from_numpy(lost), values, scan.ranges))


def _crosstalk(scan: Scan, parameters: Parameters, draws: np.random.Generator) -> Scan:
    """Ranges anywhere in some beams, as pulses of another LiDAR give them."""
    hit = torch.from_numpy(draws.random(len(scan.ranges)) < parameters["share"])
    anywhere = torch.from_numpy(draws.uniform(MIN_RANGE, parameters["reach"], len(scan.ranges)))
    return scan._replace(ranges=torch.where(hit, anywhere.to(scan.ranges), scan.ranges))


def _missing(_scan: Scan, _parameters: Parameters, _draws: np.random.Generator) -> None:
    """No scan."""


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
FOG = Disturbance(
    "scan_fog", SCAN, "fog: visibility [m], share of the lost beams that return from it",
    [{"visibility": far, "backscatter": 0.1} for far in (150.0, 70.0, 30.0)], _fog,
)  # fmt: skip
RAIN = Disturbance(
    "scan_rain", SCAN, "rain or snow: share of beams that meet drops, and of those that return",
    [{"share": share, "backscatter": 0.3} for share in (0.05, 0.15, 0.3)], _rain,
)  # fmt: skip
CROSSTALK = Disturbance(
    "scan_crosstalk", SCAN, "another LiDAR: share of beams with a range anywhere, up to reach [m]",
    [{"share": share, "reach": 20.0} for share in (0.01, 0.03, 0.1)], _crosstalk,
)  # fmt: skip
NO_SCAN = Disturbance("no_scan", SCAN, "LiDAR lost: no scan", [{}], _missing, takes_away=True)
