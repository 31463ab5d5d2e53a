"""Predicts the gain of trainings from trials, a probe and oracle bounds.

An option that was tried gains what the trial gained. Of the others the trials give what learns
along, and the probe what its few steps gained beyond that; how much the networks *could* gain says
the oracle: the score with them perfect. How much of that a training will reach says the share of
the possible decline of the end loss that the probe had on held-out samples. Of networks that were
tried, the share that they reached is known; it interpolates between the scores of the oracle with
and without them perfect (multilinearly, as Owen extends a game to shares of players).

Source of the extension:
    Owen, Multilinear extensions of games, Management Science 18, 1972.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_training.forecast.evidence import Evidence, subsets
from conegrad_training.forecast.options import ALL, FUSION
from conegrad_training.forecast.scores import Scores


@dataclass(frozen=True)
class Constants:
    """What was fitted on the development cases of ``benchmarks/forecast_cases.py``.

    The interval is of all of its cases: by the development cases alone it was too small.

    Attributes:
        half_decline: share of the possible decline of the end loss that the probe has where the
            training will reach half of what the probe left to gain.
        loss_of_training: of ``f1_colour`` that training a costly network costs after the probe.
        error_floor: half width of the interval at a predicted gain of 0.
        error_slope: what is added to it per predicted gain.
    """

    half_decline: float = 0.11
    loss_of_training: float = 0.007
    error_floor: float = 0.038
    error_slope: float = 0.28


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
            gain = evidence.gain(evidence.tried[option])
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
    along, probed = evidence.along[option], evidence.probed[option]
    networks = _networks(evidence, option)
    shares = {name: _tried_share(evidence, name) for name in networks if name in evidence.tried}
    costly = tuple(name for name in networks if name not in shares)
    perfect = _with_perfect(evidence, costly, shares)
    possible, decline = along.loss - perfect.loss, along.loss - probed.loss
    share = max(decline, 0.0) / possible if possible > 1e-6 else 0.0
    reached = share**2 / (share**2 + constants.half_decline**2)
    left = max(perfect.f1_colour - probed.f1_colour, 0.0)
    return evidence.gain(probed) + reached * left - constants.loss_of_training


def _networks(evidence: Evidence, option: str) -> tuple[str, ...]:
    """Networks that learn in an option."""
    if option == ALL:
        return evidence.networks
    return (option,) if option in evidence.networks and option != FUSION else ()


def _tried_share(evidence: Evidence, name: str) -> float:
    """Share of its bound that a network reached in its trial, in [0, 1]."""
    joined = evidence.tried.get(FUSION, evidence.before).f1_colour
    possible = evidence.perfect[frozenset({name})].f1_colour - joined
    gained = evidence.tried[name].f1_colour - joined
    return min(max(gained / possible, 0.0), 1.0) if possible > 1e-9 else 0.0


def _with_perfect(
    evidence: Evidence, costly: tuple[str, ...], tried: Mapping[str, float]
) -> Scores:
    """Scores with networks perfect, and others with the probability of the share they reached."""
    score = loss = 0.0
    for perfect in subsets(tuple(tried)):
        weight = math.prod(s if name in perfect else 1.0 - s for name, s in tried.items())
        found = evidence.perfect[frozenset({*costly, *perfect})]
        score, loss = score + weight * found.f1_colour, loss + weight * found.loss
    return Scores(score, loss)
