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
from conegrad_data.recording.samples import Samples
from conegrad_data.status.findings import Level

SENSORS = ("image", "scan", "points")
DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "image": image_from_msg,
    "scan": scan_from_msg,
    "points": points_from_msg,
    "odom": pose_from_msg,
}


def check_samples(candidate: Candidate) -> Iterator[BagFinding]:
    """Messages that their decoder refuses: of a sensor all, or some.

    A bag is refused for its images, without which cones have no colour, and for its LiDAR where
    there are no images. The camera alone gives cones, and they are told to be of it alone.
    """
    lost = lost_sensors(candidate)
    has_images = "image" in candidate.samples and "image" not in lost
    counts = {role: len(s.messages) + len(s.faults) for role, s in candidate.samples.items()}
    for role, samples in candidate.samples.items():
        texts = _reasons(role, samples)
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


def lost_sensors(candidate: Candidate) -> set[str]:
    """Roles of the sensors of which no message that was looked at can be used."""
    return {
        role
        for role, samples in candidate.samples.items()
        if role in SENSORS
        and (reasons := _reasons(role, samples))
        and len(reasons) == len(samples.messages) + len(samples.faults)
    }


def _reasons(role: str, samples: Samples) -> list[str]:
    decode = DECODERS.get(role)
    refusals = [_refusal(decode, msg) for msg in samples.messages] if decode else []
    return [*filter(None, refusals), *samples.faults]


def _refusal(decode: Callable[[Any], Any], msg: Any) -> str:
    try:
        decode(msg)
    except DecodeError as error:
        return str(error)
    return ""
