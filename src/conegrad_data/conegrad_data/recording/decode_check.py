"""Whether messages of a bag can be decoded, for every way in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conegrad_data.decode import (
    DecodeError,
    image_from_msg,
    points_from_msg,
    pose_from_msg,
    scan_from_msg,
)
from conegrad_data.recording.bag_readiness import BagFinding, Candidate
from conegrad_data.recording.topic_probes import TopicProbe
from conegrad_data.status.part_status import Level

SENSORS = ("image", "scan", "points")
DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "image": image_from_msg,
    "scan": scan_from_msg,
    "points": points_from_msg,
    "odom": pose_from_msg,
}


def check_decoding(candidate: Candidate) -> Iterator[BagFinding]:
    """Messages that their decoder refuses: of a sensor all, or some.

    A bag is refused for its images, without which cones have no colour, and for its LiDAR where
    there are no images. The camera alone gives cones, and a warning says so.
    """
    lost = undecodable_sensors(candidate)
    has_images = "image" in candidate.probes and "image" not in lost
    counts = {role: len(p.messages) + len(p.faults) for role, p in candidate.probes.items()}
    for role, probe in candidate.probes.items():
        texts = _refusals(role, probe)
        if not texts:
            continue
        is_all, is_lost = len(texts) == counts[role], role in lost and not has_images
        share, verb = ("none", "can") if is_all else (f"{len(texts)}", "cannot")
        remedy = f"leave the topic out with --topic {role}=none" if is_lost else ""
        if role in lost and has_images:
            remedy = "cones come from the camera alone"
        yield BagFinding(
            Level.ERROR if is_lost else Level.WARN,
            f"{candidate.bag.path}: {share} of {counts[role]} looked at on "
            f"{candidate.roles[role]} {verb} be used: {texts[0]}",
            remedy,
        )


def undecodable_sensors(candidate: Candidate) -> set[str]:
    """Roles of the sensors of which no message that was looked at can be used."""
    return {
        role
        for role, probe in candidate.probes.items()
        if role in SENSORS
        and (refusals := _refusals(role, probe))
        and len(refusals) == len(probe.messages) + len(probe.faults)
    }


def _refusals(role: str, probe: TopicProbe) -> list[str]:
    decode = DECODERS.get(role)
    refusals = [_refusal(decode, msg) for msg in probe.messages] if decode else []
    return [*filter(None, refusals), *probe.faults]


def _refusal(decode: Callable[[Any], Any], msg: Any) -> str:
    try:
        decode(msg)
    except DecodeError as error:
        return str(error)
    return ""
