"""Conditions of a frame and of each true cone in it, measured from the recording."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.cones import CLASS_NAMES, CONE_WIDTHS, ConeClass, TrueCones
from conegrad_core.geometry.odometry import Pose2, relative_pose
from conegrad_core.lidar.scan import Scan
from conegrad_data.recording.paired_drive import PairedDrive
from conegrad_evaluation.metrics.matching import Booleans, Integers
from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of
from conegrad_evaluation.samples.sample import Sample

# Luminance of the image in [0, 255]: its mean, upper edges of all values but the last one.
LIGHTS: Mapping[str, float] = {"dark": 50.0, "dim": 95.0, "day": 170.0, "glare": math.inf}
SPEEDS: Mapping[str, float] = {  # [m/s], likewise
    "standing": 0.5,
    "slow": 4.0,
    "medium": 8.0,
    "fast": math.inf,
}
STRAIGHT = 1 / 50  # [1/m], less curved is straight
HAIRPIN = 1 / 8  # [1/m], more curved; the tightest hairpin of the rules has 4.5 m
SPAN_NS = 100_000_000  # [ns] before and after a stamp that speed and curvature are taken from
STEP = 8  # of so many rows and columns one is looked at
BLANK = 2.0  # standard deviation of an image that shows nothing

OF_FRAMES: Mapping[str, tuple[str, ...]] = {  # conditions with their values
    "light": tuple(LIGHTS),
    "speed": tuple(SPEEDS),
    "sensors": ("both", "no image", "no scan"),
    "track": ("straight", "left", "right", "hairpin"),
}
OF_CONES: Mapping[str, tuple[str, ...]] = {
    "range": BIN_NAMES,
    "colour": CLASS_NAMES,
    "occlusion": ("free", "overlapped"),
}


class FrameConditions(NamedTuple):
    """Conditions of one frame.

    Attributes:
        of_frame: value of each condition of :data:`OF_FRAMES` that is known.
        of_cones: of each of :data:`OF_CONES` the index of its value per true cone, ``(T,)``; -1
            where it is not known.
    """

    of_frame: Mapping[str, str]
    of_cones: Mapping[str, Integers]


def frame_conditions(
    sample: Sample, drive: PairedDrive | None, counted: Booleans
) -> FrameConditions:
    """Measure the conditions of a sample.

    Args:
        sample: with its truth.
        drive: that it comes from, for speed and curvature; None leaves these out.
        counted: ``(T,)`` true cones that count.
    """
    image, scan = sample.inputs.get("image"), sample.inputs.get("scan")
    found: dict[str, str] = {"sensors": _sensors(image, scan)}
    if found["sensors"] != "no image":
        found["light"] = light_of(np.asarray(image))
    if drive is not None:
        found.update(_motion(drive, sample.key.stamp_ns))
    chosen = torch.from_numpy(counted)
    truth = TrueCones(*(part.cpu()[chosen] for part in sample.truth[:4]))
    return FrameConditions(found, cone_conditions(truth))


def light_of(image: npt.NDArray[np.uint8]) -> str:
    """Light of an ``(H, W, 3)`` RGB image, by its mean luminance."""
    mean = image[::STEP, ::STEP].astype(np.float64).mean(axis=(0, 1))
    return _named(float(mean @ np.array([0.299, 0.587, 0.114])), LIGHTS)


def cone_conditions(truth: TrueCones) -> dict[str, Integers]:
    """Conditions of each true cone, as indices of :data:`OF_CONES`.

    A cone is overlapped where a nearer one covers a part of it, seen from the LiDAR.
    """
    positions = truth.positions.double().numpy()
    classes = truth.classes.numpy().astype(np.int64)
    distances = np.hypot(*positions.T)
    bearings = np.arctan2(positions[:, 1], positions[:, 0])
    widths = np.array([*CONE_WIDTHS, CONE_WIDTHS[0]])[classes]
    halves = np.arctan2(widths / 2, np.maximum(distances, widths))
    apart = np.abs(np.angle(np.exp(1j * (bearings[:, None] - bearings[None]))))
    covers = (apart < halves[:, None] + halves[None]) & (distances[None] < distances[:, None])
    return {
        "range": bin_of(distances),
        "colour": np.where(classes == ConeClass.UNKNOWN, -1, classes),
        "occlusion": covers.any(axis=1).astype(np.int64),
    }


def _sensors(image: Any, scan: Any) -> str:
    if image is None or float(np.asarray(image)[::STEP, ::STEP].std()) < BLANK:
        return "no image"
    if not isinstance(scan, Scan) or not bool(torch.isfinite(scan.ranges).any()):
        return "no scan"
    return "both"


def _motion(drive: PairedDrive, stamp_ns: int) -> dict[str, str]:
    """Speed and kind of track; nothing without odometry around the stamp."""
    before, after = drive.poses.at(stamp_ns - SPAN_NS), drive.poses.at(stamp_ns + SPAN_NS)
    return {} if before is None or after is None else motion_conditions(before, after)


def motion_conditions(before: Pose2, after: Pose2) -> dict[str, str]:
    """Speed and kind of track from the poses of the car :data:`SPAN_NS` before and after."""
    moved = relative_pose(before, after)
    way = math.hypot(moved.x, moved.y)
    found = {"speed": _named(way / (2 * SPAN_NS / 1e9), SPEEDS)}
    if found["speed"] != "standing":  # without way there is no curvature
        found["track"] = _track(moved.yaw / way)
    return found


def _track(curvature: float) -> str:
    if abs(curvature) < STRAIGHT:
        return "straight"
    if abs(curvature) > HAIRPIN:
        return "hairpin"
    return "left" if curvature > 0 else "right"


def _named(value: float, upper: Mapping[str, float]) -> str:
    return next(name for name, edge in upper.items() if value < edge)
