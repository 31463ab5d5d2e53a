"""Follows every lost, false or wrongly coloured cone to the component where it went wrong."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_evaluation.attribution.outcomes import FaultyCone

LEAST_SHARE = 0.05  # of a cone, a component with less had no part in it
LEAST_RATE = 0.02  # a component that never seems to err does so as often
UNTRACED = ""

Floats = npt.NDArray[np.float64]


class TracedCone(NamedTuple):
    """A faulty cone and its cause.

    Attributes:
        fault: the cone.
        component: whose perfection repairs it; empty where none does.
        share: of this component in the repair.
        shares: of all components.
    """

    fault: FaultyCone
    component: str
    share: float
    shares: Mapping[str, float]


def trace_cones(
    faults: Sequence[FaultyCone],
    shares: Mapping[str, Floats],
    rates: Mapping[str, float],
) -> list[TracedCone]:
    """The cause of each faulty cone.

    A component may be the cause if its perfection has a share in the repair of the cone. Where
    several could have repaired it, the likeliest cause is the one with the largest product of this
    share and the rate at which the component errs on this drive by itself.

    Args:
        faults: the cones.
        shares: of each component ``(N,)`` in the repair of each cone: Shapley values.
        rates: of errors of each component by itself, in [0, 1].
    """
    traced = []
    for row, fault in enumerate(faults):
        own = {name: float(of_name[row]) for name, of_name in shares.items()}
        likely = {
            name: share * max(rates.get(name, 0.0), LEAST_RATE)
            for name, share in own.items()
            if share >= LEAST_SHARE
        }
        cause = max(likely, key=lambda name: likely[name], default=UNTRACED)
        traced.append(TracedCone(fault, cause, own.get(cause, 0.0), own))
    return traced
