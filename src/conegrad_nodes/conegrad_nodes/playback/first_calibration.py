"""The calibration of a bag ahead of its first image, where it was recorded later."""

from collections.abc import Iterator, Mapping
from typing import Any

from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationConfig, CalibrationSource
from conegrad_data.decode import DecodeError
from conegrad_data.recording.bag_readiness import BagFinding, Candidate
from conegrad_data.status.part_status import Level
from conegrad_nodes.parameters.chosen_parameters import settings

LATE_NS = 200_000_000  # [ns] after the first image, above which it is reported


def first_camera_info(
    bag: BagReader, roles: Mapping[str, str], parameters: Mapping[str, Any]
) -> RawMessage | None:
    """The first camera_info that can be used: a run has it before the first image.

    Returns:
        None where the intrinsics come from elsewhere, or no message can be used.
    """
    config = settings(CalibrationConfig, parameters, "calibration")
    if config.intrinsics != "camera_info" or "camera_info" not in roles:
        return None
    source = CalibrationSource(config)
    for raw in bag.raw_messages([roles["camera_info"]]):
        try:
            source.take_camera_info(bag.decode(raw))
        except (DecodeError, BagError):
            continue
        return raw
    return None


def check_late_calibration(candidate: Candidate) -> Iterator[BagFinding]:
    """Parts of the calibration that a bag holds only after its first image."""
    bag, roles = candidate.bag, candidate.roles
    image_ns = _first_ns(bag, roles.get("image"))
    if image_ns is None:
        return
    info = first_camera_info(bag, roles, candidate.parameters)
    times = {
        "camera_info": None if info is None else info.receive_ns,
        "tf_static": _first_ns(bag, roles.get("tf_static")),
    }
    for role, time_ns in times.items():
        if time_ns is not None and time_ns - image_ns > LATE_NS:
            yield BagFinding(
                Level.WARN,
                f"the first message on {roles[role]} that can be used comes "
                f"{(time_ns - image_ns) / 1e9:.1f} s after the first image",
                "it is used for the images before it, too",
            )


def _first_ns(bag: BagReader, topic: str | None) -> int | None:
    if topic is None:
        return None
    return next((raw.receive_ns for raw in bag.raw_messages([topic])), None)
