"""What to do about an attribution: which component stands out, and how it is repaired."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.settings import Config, setting
from conegrad_evaluation.attribution.attribution import Attribution
from conegrad_evaluation.attribution.calibration_errors import is_wrong
from conegrad_evaluation.attribution.reference import loss_of_quality
from conegrad_evaluation.attribution.refinement import Refinement
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

    least_loss: float = setting(
        0.1,
        "Loss of quality against the reference from which a network stands out",
        low=0.0,
        high=1.0,
    )
    least_share: float = setting(
        0.05, "Share above the reference from which other components stand out", low=0.0
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
    *,
    joins: Collection[str] = (),
) -> list[Finding]:
    """Components that stand out, the costliest first.

    Calibration and stamps stand out where the drive shows their errors beyond doubt, and networks
    where what they write is worse than in the reference, whatever that costs: redundant sensors
    hide each other's faults from the score. A network of which the reference knows nothing, or a
    joining stage whose inputs and calibration are right, stands out by what it costs.

    Args:
        found: the attribution, with the reference that it is compared with.
        config: when a component stands out.
        joins: components that join the results of others.
    """
    config, reference = config or AdviceConfig(), found.reference
    standing = []
    for name, share in found.shares.items():
        excess = share - reference.shares.get(name, 0.0)
        if name not in joins and _stands_out(name, found, config):
            standing.append(Finding(name, share, excess, _text(name, found)))
    if not standing:
        for name in joins:
            excess = found.shares.get(name, 0.0) - reference.shares.get(name, 0.0)
            if excess >= config.least_share:
                standing.append(Finding(name, found.shares[name], excess, _text(name, found)))
    return sorted(standing, key=lambda finding: -finding.excess)


def _stands_out(name: str, found: Attribution, config: AdviceConfig) -> bool:
    if name == CALIBRATION:
        return bool(found.refinement.mounting)
    if name == TIME:
        return bool(found.refinement.time)
    loss = loss_of_quality(name, found.qualities, found.reference)
    if math.isnan(loss):
        return found.shares[name] - found.reference.shares.get(name, 0.0) >= config.least_share
    return loss >= config.least_loss


def _text(name: str, found: Attribution) -> str:
    if name == CALIBRATION:
        return _mounting_text(found)
    if name == TIME:
        return _time_text(found)
    return f"retrain the {name}: {found.shares[name]:+.2f} of a possible {found.gap:.2f}"


def headline(standing: Sequence[Finding], found: Attribution) -> str:
    """The first line of the report: what to do, in the order of what it gains."""
    if not standing:
        most = max(found.shares, key=lambda name: found.shares[name])
        return (
            f"{NOTHING} against {found.reference.source}: {found.score:.2f} now, {found.gap:.2f} "
            f"below perfect, most of it by the {most} ({found.shares[most]:+.2f})"
        )
    return "; ".join(finding.text for finding in standing)


def _mounting_text(found: Attribution) -> str:
    parts = _wrong_parts(found.refinement)
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
            offset = f"pairing.{sensor.lower()}_offset={estimate.value:+.3f}"
            parts.append(f"stamps of the {sensor} {early}: run with --set {offset}")
    return f"{', '.join(parts)} ({found.shares[TIME]:+.2f})"


def _wrong_parts(refinement: Refinement) -> list[str]:
    """What is wrong with the mounting, in words."""
    parts = []
    for name, estimate in refinement.mounting.items():
        delay = refinement.value(f"{name.partition('_')[0]}_time")
        if is_wrong(name, estimate, delay):
            sensor = "the camera" if name.startswith("camera") else "the LiDAR"
            turn = "turn" in name
            size = math.degrees(estimate.value) if turn else 100 * estimate.value
            words = WORDS[name][size < 0].format(f"{abs(size):.1f}")
            parts.append(f"{sensor} {words}")
    return parts
