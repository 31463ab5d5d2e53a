"""Whether messages of a bag can be decoded, for every way in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conegrad_nodes.decode import (
    DecodeError,
    image_from_msg,
    points_from_msg,
    pose_from_msg,
    scan_from_msg,
)
from conegrad_nodes.findings import Level
from conegrad_nodes.playback.judgement import BagFinding, Candidate

SENSORS = ("image", "scan", "points")
DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "image": image_from_msg,
    "scan": scan_from_msg,
    "points": points_from_msg,
    "odom": pose_from_msg,
}


def check_samples(candidate: Candidate) -> Iterator[BagFinding]:
    """Messages that their decoder refuses: of a sensor all, or some."""
    for role, samples in candidate.samples.items():
        decode = DECODERS.get(role)
        refusals = [_refusal(decode, msg) for msg in samples.messages] if decode else []
        reasons = [*filter(None, refusals), *samples.faults]
        if not reasons:
            continue
        count = len(samples.messages) + len(samples.faults)
        share = "none" if len(reasons) == count else f"{len(reasons)}"
        verb = "can" if share == "none" else "cannot"
        is_lost = share == "none" and role in SENSORS
        topic = candidate.roles[role]
        yield BagFinding(
            Level.ERROR if is_lost else Level.WARN,
            f"{candidate.bag.path}: {share} of {count} looked at on {topic} {verb} be used: "
            f"{reasons[0]}",
            f"leave the topic out with --topic {role}=none" if is_lost else "",
        )


def _refusal(decode: Callable[[Any], Any], msg: Any) -> str:
    try:
        decode(msg)
    except DecodeError as error:
        return str(error)
    return ""
