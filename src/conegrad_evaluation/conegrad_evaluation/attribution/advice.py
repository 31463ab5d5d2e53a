"""What to do about an attribution: which component stands out, and how it is repaired."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.settings import Config, setting
from conegrad_evaluation.attribution.attribution import Attribution
from conegrad_evaluation.attribution.calibration_errors import is_wrong
from conegrad_evaluation.attribution.refinement import Estimate
from conegrad_evaluation.attribution.substitution import CALIBRATION, TIME

NOTHING = "no component stands out"
WORDS = {  # a positive error, a negative one
    "camera_turn_x": ("looks {} degrees too high", "looks {} degrees too low"),
    "camera_turn_y": ("looks {} degrees too far right", "looks {} degrees too far left"),
    "camera_turn_z": ("is rolled by {} degrees", "is rolled by -{} degrees"),
    "camera_x": ("sits {} cm too far right", "sits {} cm too far left"),
    "camera_y": ("sits {} cm too low", "sits {} cm too high"),
    "camera_z": ("sits {} cm too far ahead", "sits {} cm too far back"),
    "lidar_x": ("sits {} cm too far ahead", "sits {} cm too far back"),
    "lidar_y": ("sits {} cm too far left", "sits {} cm too far right"),
    "lidar_turn": ("is turned {} degrees too far left", "is turned {} degrees too far right"),
}
LATE = ("are {} ms early", "are {} ms late")  # a stamp to which time has to be added is early


@dataclass(frozen=True)
class AdviceConfig(Config):
    """When a component stands out."""

    least_share: float = setting(
        0.03, "Share beyond that of the reference from which a model stands out", low=0.0
    )


class Finding(NamedTuple):
    """A component that stands out.

    Attributes:
        component: its name.
        share: what it costs.
        excess: what it costs beyond the reference.
        text: what to do.
    """

    component: str
    share: float
    excess: float
    text: str


def findings(
    found: Attribution,
    config: AdviceConfig | None = None,
    reference: Mapping[str, float] | None = None,
) -> list[Finding]:
    """Components that stand out, the costliest first.

    Calibration and stamps stand out where the drive shows their errors beyond doubt, whatever they
    cost; models by what they cost.

    Args:
        found: the attribution.
        config: when a component stands out.
        reference: shares of the same system on a drive that is known to be good; None: none.
    """
    config, reference = config or AdviceConfig(), reference or {}
    standing = []
    for name, share in found.shares.items():
        excess = share - reference.get(name, 0.0)
        if name == CALIBRATION:
            stands, text = bool(found.refinement.mounting), _mounting_text(found)
        elif name == TIME:
            stands, text = bool(found.refinement.time), _time_text(found)
        else:
            stands = excess >= config.least_share
            text = f"{_verb(name)} {name}: {share:+.2f} of a possible {found.gap:.2f}"
        if stands:
            standing.append(Finding(name, share, excess, text))
    return sorted(standing, key=lambda finding: -finding.excess)


def headline(standing: Sequence[Finding], found: Attribution) -> str:
    """The first line of the report: what to do, in the order of what it gains."""
    if not standing:
        return f"{NOTHING}: {found.score:.2f} now, {found.gap:.2f} below perfect"
    return "; ".join(finding.text for finding in standing)


def _verb(name: str) -> str:
    return "retrain the"


def _mounting_text(found: Attribution) -> str:
    parts = _wrong_parts(found.refinement.mounting)
    gain = f" ({found.shares[CALIBRATION]:+.2f})"
    return (
        f"the calibration is wrong{gain}: {', '.join(parts)}: measure it again, or run conegrad "
        "train BAG -o RUN --pattern fusion_only --learn-calibration"
    )


def _time_text(found: Attribution) -> str:
    parts = []
    for name, estimate in found.refinement.time.items():
        if is_wrong(name, estimate):
            sensor = "camera" if name.startswith("camera") else "LiDAR"
            early = LATE[estimate.value < 0].format(f"{abs(1000 * estimate.value):.0f}")
            offset = f"pairing.{sensor.lower()}_offset:={estimate.value:+.3f}"
            parts.append(f"stamps of the {sensor} {early}: set {offset}")
    return f"{', '.join(parts)} ({found.shares[TIME]:+.2f})"


def _wrong_parts(mounting: Mapping[str, Estimate]) -> list[str]:
    """What is wrong in words, the worst angle or shift of each sensor first."""
    parts = []
    for name, estimate in mounting.items():
        if is_wrong(name, estimate):
            sensor = "the camera" if name.startswith("camera") else "the LiDAR"
            turn = "turn" in name
            size = math.degrees(estimate.value) if turn else 100 * estimate.value
            words = WORDS[name][size < 0].format(f"{abs(size):.1f}")
            parts.append(f"{sensor} {words}")
    return parts
