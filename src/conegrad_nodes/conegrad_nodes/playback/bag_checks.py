"""What is checked of a bag before it is perceived; see ``bag_readiness.py``."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationConfig
from conegrad_data.decode import (
    DecodeError,
    image_from_msg,
)
from conegrad_data.recording.bag_readiness import BagFinding, Candidate, Check
from conegrad_data.recording.decode_check import check_decoding, undecodable_sensors
from conegrad_data.recording.recorded_calibration import recorded_frames
from conegrad_data.status.part_status import Level
from conegrad_nodes.parameters.chosen_parameters import settings
from conegrad_nodes.playback.calibration_check import check_calibration
from conegrad_nodes.playback.first_calibration import check_late_calibration
from conegrad_nodes.playback.odometry_check import check_odometry

MATTERS = 1e-3  # [px] between K and P


def check_known_calibration(candidate: Candidate) -> Iterator[BagFinding]:
    """Parts of the calibration that are missing or cannot be used."""
    if candidate.is_shared:
        return
    sizes = {_image_size(msg) for msg in candidate.messages("image")} - {None}
    try:
        check_calibration(
            candidate.bag,
            candidate.roles,
            candidate.parameters,
            filter(None, sizes),
            with_lidar=not {"scan", "points"} & undecodable_sensors(candidate),
        )
    except BagError as error:
        yield BagFinding(Level.ERROR, str(error))


def check_frames(candidate: Candidate) -> Iterator[BagFinding]:
    """Transforms of tf_static that are skipped; the others count."""
    topic = candidate.roles.get("tf_static")
    for fault in recorded_frames(candidate.bag, topic).faults.values():
        yield BagFinding(Level.WARN, f"{candidate.bag.path}: {topic}: skipped {fault}")


def check_rectification(candidate: Candidate) -> Iterator[BagFinding]:
    """Which matrices of camera_info are taken, where that matters."""
    config = settings(CalibrationConfig, candidate.parameters, "calibration")
    infos = candidate.messages("camera_info")
    if "image" not in candidate.roles:
        return
    image = candidate.roles["image"]
    if config.intrinsics != "camera_info":
        if config.images == "rectified":
            yield BagFinding(
                Level.WARN,
                f"{image} counts as rectified, and the intrinsics come from calibration."
                f"{config.intrinsics}",
                "they must be those of the rectified images, without distortion",
            )
        return
    if not infos:
        return
    info = infos[-1]
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


def check_own_car(candidate: Candidate) -> Iterator[BagFinding]:
    """What is cut out of the clouds as the own car."""
    config = settings(ReductionConfig, candidate.parameters, "reduction")
    car = config.own_car()
    if "points" in candidate.roles and car is not None:
        yield BagFinding(
            Level.OK,
            f"{car}; reduction.car_outline, or car_ahead, car_behind and car_beside, give it by "
            "hand, reduction.find_car: false cuts nothing",
        )


CHECKS: Sequence[Check] = (
    check_decoding,
    check_frames,
    check_known_calibration,
    check_late_calibration,
    check_rectification,
    check_odometry,
    check_own_car,
)


def _image_size(msg: Any) -> tuple[int, int] | None:
    try:
        height, width = image_from_msg(msg).shape[:2]
    except DecodeError:
        return None
    return width, height
