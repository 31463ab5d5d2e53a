"""Predicts the gain of trainings from oracle bounds and a probe.

How much a network *could* gain says the oracle: the score with that network perfect. How much of it
a training will reach says the probe: the share by which its few steps lowered the end loss on
held-out samples. The reached share of each network interpolates between the scores of the oracle
with this and that network perfect (multilinearly, as Owen extends a game to shares of players):
networks that need each other gain together what none gains alone. Where the oracle leaves little to
gain, the gain of the probe itself counts.

Source of the extension:
    Owen, Multilinear extensions of games, Management Science 18, 1972.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_training.forecast.evidence import CALIBRATION, Evidence, subsets
from conegrad_training.forecast.options import ALL, FUSION


@dataclass(frozen=True)
class Constants:
    """What was fitted on the development cases of ``benchmarks/forecast_cases.py``.

    ``loss_of_more`` and the interval are of all cases: the first judgement showed both too small.

    Attributes:
        half_decline: relative decline of the end loss over the probe at which a network will reach
            half of its bound.
        fusion_share: share of its bound that the fusion will reach.
        calibration_share: likewise the calibration.
        small_gain: where so much is expected, the gain that the probe itself had counts as much as
            what is expected, and more where less is.
        loss_of_training: of ``f1_colour`` that training a network costs, whatever it gains.
        loss_of_more: that every further network costs that is trained along.
        error_floor: half width of the interval at a predicted gain of 0.
        error_slope: what is added to it per predicted gain.
    """

    half_decline: float = 0.09
    fusion_share: float = 0.75
    calibration_share: float = 0.53
    small_gain: float = 0.04
    loss_of_training: float = 0.003
    loss_of_more: float = 0.027
    error_floor: float = 0.062
    error_slope: float = 0.47


FITTED = Constants()


class Prediction(NamedTuple):
    """Predicted gain of ``f1_colour``, its interval, and the most that was possible."""

    gain: float
    low: float
    high: float
    bound: float


def predict(evidence: Evidence, constants: Constants = FITTED) -> dict[str, Prediction]:
    """Prediction of each option that was probed, by its name."""
    base = _fusion_gain(evidence, constants)
    reached = {name: _reached(evidence, name, constants) for name in evidence.networks}
    found = {}
    for option, scores in evidence.after.items():
        learning = _learning(evidence, option)
        if learning:
            gain = _interpolated(evidence, {name: reached[name] for name in learning}, base)
            probed = scores.f1_colour - evidence.before.f1_colour
            weight = constants.small_gain / max(constants.small_gain + gain, 1e-9)
            gain += weight * (probed - gain) - constants.loss_of_training
            gain -= constants.loss_of_more * (len(learning) - 1)
            bound = _value(evidence, learning, base)
        else:
            gain = bound = base
            if option == CALIBRATION:
                more = evidence.bound([CALIBRATION])
                gain, bound = base + constants.calibration_share * more, max(more, base)
        gain = min(gain, 1.0 - evidence.before.f1_colour)
        half = constants.error_floor + constants.error_slope * abs(gain)
        found[option] = Prediction(gain, gain - half, gain + half, bound)
    return found


def _learning(evidence: Evidence, option: str) -> tuple[str, ...]:
    """Networks that learn in an option."""
    if option == ALL:
        return evidence.networks
    return (option,) if option in evidence.networks and option != FUSION else ()


def _fusion_gain(evidence: Evidence, constants: Constants) -> float:
    """What the stages that join will gain, which learn along in every option."""
    bound = evidence.bound(evidence.joins) if evidence.joins else 0.0
    return constants.fusion_share * (bound if math.isfinite(bound) else 0.0)


def _reached(evidence: Evidence, name: str, constants: Constants) -> float:
    """Share of its bound that a network will reach, in [0, 1]."""
    before, after = evidence.before.loss, evidence.after.get(name, evidence.before).loss
    decline = max(before - after, 0.0) / max(abs(before), 1e-9)
    square = decline * decline
    return square / (square + constants.half_decline**2)


def _interpolated(evidence: Evidence, reached: Mapping[str, float], base: float) -> float:
    """Expected gain if each network is perfect with the probability of its reached share."""
    total = 0.0
    for perfect in subsets(tuple(reached)):
        weight = math.prod(
            share if name in perfect else 1.0 - share for name, share in reached.items()
        )
        total += weight * _value(evidence, perfect, base)
    return total


def _value(evidence: Evidence, perfect: Collection[str], base: float) -> float:
    """Gain with some networks perfect, that of the fusion at least."""
    if not perfect:
        return base
    bound = evidence.bound(tuple(perfect))
    return max(bound, base) if math.isfinite(bound) else base
