"""Predicts the gain of trainings from oracle bounds, trials and a probe.

An option that was tried over all its steps gains what the trial gained. Of the others the trials
give what learns along; how much their networks *could* gain beyond that says the oracle: the score
with that network perfect. How much of it a training will reach says the probe: the share by which
its few steps lowered the end loss on held-out samples. Of networks that were tried, the share that
they reached is known. The reached share of each network interpolates between the scores of the
oracle with this and that network perfect (multilinearly, as Owen extends a game to shares of
players): networks that need each other gain together what none gains alone. Where the oracle leaves
little to gain, the gain of the probe itself counts.

Source of the extension:
    Owen, Multilinear extensions of games, Management Science 18, 1972.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_training.forecast.evidence import Evidence, subsets
from conegrad_training.forecast.options import ALL, FUSION
from conegrad_training.forecast.scores import Scores


@dataclass(frozen=True)
class Constants:
    """What was fitted on the development cases of ``benchmarks/forecast_cases.py``.

    Attributes:
        trial_share: share of the gain of a trial that a training has.
        half_decline: relative decline of the end loss over the probe at which a network will reach
            half of its bound.
        small_gain: where so much is expected, the gain that the probe itself had counts as much as
            what is expected, and more where less is.
        loss_of_training: of ``f1_colour`` that training a network costs, whatever it gains.
        loss_of_more: that every further network costs that is trained along.
        error_floor: half width of the interval at a predicted gain of 0.
        error_slope: what is added to it per predicted gain.
    """

    trial_share: float = 1.0
    half_decline: float = 0.09
    small_gain: float = 0.04
    loss_of_training: float = 0.003
    loss_of_more: float = 0.027
    error_floor: float = 0.062
    error_slope: float = 0.47


FITTED = Constants()


class Prediction(NamedTuple):
    """Predicted gain of ``f1_colour``, its interval, and that of perfect networks; else NaN."""

    gain: float
    low: float
    high: float
    bound: float


def predict(evidence: Evidence, constants: Constants = FITTED) -> dict[str, Prediction]:
    """Prediction of each option that was tried or probed, by its name."""
    found = {}
    for option in (*evidence.tried, *evidence.probed):
        if option in evidence.tried:
            gain = constants.trial_share * evidence.gain(evidence.tried[option])
        else:
            gain = _probed_gain(evidence, option, constants)
        gain = min(gain, 1.0 - evidence.before.f1_colour)
        half = constants.error_floor + constants.error_slope * abs(gain)
        networks = _networks(evidence, option)
        bound = evidence.bound(networks) if networks else math.nan
        found[option] = Prediction(gain, gain - half, gain + half, bound)
    return found


def _probed_gain(evidence: Evidence, option: str, constants: Constants) -> float:
    """Gain of an option of which the trials give only what learns along."""
    base = _fusion_gain(evidence, constants)
    along, probed = evidence.along[option], evidence.probed[option]
    networks = _networks(evidence, option)
    tried = {
        name: _tried_share(evidence, name, base, constants)
        for name in networks
        if name in evidence.tried
    }
    share = _reached(along, probed, constants)
    shares = {name: tried.get(name, share) for name in networks}
    start = constants.trial_share * evidence.gain(along)
    more = _interpolated(evidence, shares, base) - _interpolated(evidence, tried, base)
    of_probe = probed.f1_colour - along.f1_colour
    weight = constants.small_gain / max(constants.small_gain + more, 1e-9)
    more += weight * (of_probe - more) - constants.loss_of_training
    return start + more - constants.loss_of_more * (len(networks) - 1)


def _networks(evidence: Evidence, option: str) -> tuple[str, ...]:
    """Networks that learn in an option."""
    if option == ALL:
        return evidence.networks
    return (option,) if option in evidence.networks and option != FUSION else ()


def _fusion_gain(evidence: Evidence, constants: Constants) -> float:
    """What the stages that join gain, which learn along in every option."""
    found = evidence.tried.get(FUSION)
    return constants.trial_share * evidence.gain(found) if found else 0.0


def _tried_share(evidence: Evidence, name: str, base: float, constants: Constants) -> float:
    """Share of its bound that a network reached in its trial, in [0, 1]."""
    possible = _value(evidence, (name,), base) - base
    gained = constants.trial_share * evidence.gain(evidence.tried[name]) - base
    return min(max(gained / possible, 0.0), 1.0) if possible > 1e-9 else 0.0


def _reached(along: Scores, probed: Scores, constants: Constants) -> float:
    """Share of its bound that a network will reach, in [0, 1]."""
    decline = max(along.loss - probed.loss, 0.0) / max(abs(along.loss), 1e-9)
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
