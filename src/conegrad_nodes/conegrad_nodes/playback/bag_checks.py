"""What is checked of a bag before it is perceived; see ``judgement.py``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from conegrad_nodes.bags.types import BagError
from conegrad_nodes.calibration import CalibrationConfig
from conegrad_nodes.decode import (
    DecodeError,
    image_from_msg,
    points_from_msg,
    pose_from_msg,
    scan_from_msg,
)
from conegrad_nodes.findings import Level
from conegrad_nodes.playback.calibration_check import check_calibration
from conegrad_nodes.playback.chosen_parameters import settings
from conegrad_nodes.playback.judgement import BagFinding, Candidate, Check

MATTERS = 1e-3  # [px] between K and P
DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "image": image_from_msg,
    "scan": scan_from_msg,
    "points": points_from_msg,
    "odom": pose_from_msg,
}


def check_samples(candidate: Candidate) -> Iterator[BagFinding]:
    """Messages that their decoder refuses: of a sensor all, or some."""
    for role, decode in DECODERS.items():
        messages = candidate.samples.get(role, ())
        reasons = [reason for reason in (_refusal(decode, msg) for msg in messages) if reason]
        if not reasons:
            continue
        share = "none" if len(reasons) == len(messages) else f"{len(reasons)}"
        verb = "can" if share == "none" else "cannot"
        is_lost = share == "none" and role != "odom"
        yield BagFinding(
            Level.ERROR if is_lost else Level.WARN,
            f"{candidate.bag.path}: {share} of {len(messages)} looked at on "
            f"{candidate.roles[role]} {verb} be used: {reasons[0]}",
        )


def check_known_calibration(candidate: Candidate) -> Iterator[BagFinding]:
    """Parts of the calibration that are missing or cannot be used."""
    if candidate.is_shared:
        return
    images = candidate.samples.get("image", ())
    sizes = {size for size in map(_image_size, images) if size is not None}
    try:
        check_calibration(candidate.bag, candidate.roles, candidate.parameters, sizes)
    except BagError as error:
        yield BagFinding(Level.ERROR, str(error))


def check_rectification(candidate: Candidate) -> Iterator[BagFinding]:
    """Which matrices of camera_info are taken, where that matters."""
    config = settings(CalibrationConfig, candidate.parameters, "calibration")
    infos = candidate.samples.get("camera_info", ())
    if not infos or config.intrinsics != "camera_info" or "image" not in candidate.roles:
        return
    info, image = infos[-1], candidate.roles["image"]
    k, d, p = (np.asarray(values, dtype=np.float64) for values in (info.k, info.d, info.p))
    p = p.reshape(3, 4)
    if not d.any() and np.allclose(p[:, :3].ravel(), k, atol=MATTERS):
        return
    change = f"--set calibration.images={'raw' if config.images == 'rectified' else 'rectified'}"
    if config.images == "rectified":
        text = f"{image} counts as rectified: P of camera_info, no distortion"
    else:
        text = f"{image} counts as raw: K and D of camera_info"
    yield BagFinding(Level.OK, f"{text}; else {change}")
    if config.images == "rectified" and abs(p[0, 3]) > MATTERS:
        yield BagFinding(
            Level.WARN,
            f"P of {candidate.roles['camera_info']} is that of the second camera of a stereo pair, "
            f"{abs(p[0, 3] / p[0, 0]):.3f} m beside the first",
            "the frame of its images must be that of this camera, not of the first",
        )


CHECKS: Sequence[Check] = (check_samples, check_known_calibration, check_rectification)


def _image_size(msg: Any) -> tuple[int, int] | None:
    try:
        height, width = image_from_msg(msg).shape[:2]
    except DecodeError:
        return None
    return width, height


def _refusal(decode: Callable[[Any], Any], msg: Any) -> str:
    try:
        decode(msg)
    except DecodeError as error:
        return str(error)
    return ""
