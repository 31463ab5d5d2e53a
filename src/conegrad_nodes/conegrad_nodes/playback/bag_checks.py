"""What is checked of a bag before it is perceived; see ``judgement.py``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from conegrad_nodes.bags.types import BagError
from conegrad_nodes.decode import (
    DecodeError,
    image_from_msg,
    points_from_msg,
    pose_from_msg,
    scan_from_msg,
)
from conegrad_nodes.findings import Level
from conegrad_nodes.playback.calibration_check import check_calibration
from conegrad_nodes.playback.judgement import BagFinding, Candidate, Check

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
    try:
        check_calibration(candidate.bag, candidate.roles, candidate.parameters)
    except BagError as error:
        yield BagFinding(Level.ERROR, str(error))


CHECKS: Sequence[Check] = (check_samples, check_known_calibration)


def _refusal(decode: Callable[[Any], Any], msg: Any) -> str:
    try:
        decode(msg)
    except DecodeError as error:
        return str(error)
    return ""
