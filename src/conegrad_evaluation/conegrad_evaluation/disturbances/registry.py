"""Disturbances that are installed, found by the entry points of their packages.

A package registers objects of :class:`~conegrad_evaluation.disturbances.disturbance.Disturbance`
in the group ``conegrad.disturbances``, under their names; ours stand in our own ``setup.cfg``.
"""

from collections.abc import Collection

from conegrad_core.pipeline.registry import load_object, registered
from conegrad_evaluation.disturbances.disturbance import (
    CALIBRATION,
    MOTION,
    STREAMS,
    TIME,
    Disturbance,
)

DISTURBANCES = "conegrad.disturbances"


def disturbance(name: str) -> Disturbance:
    """The disturbance of a name.

    Raises:
        PipelineError: if no package registers it (lists those that are), or two do.
    """
    return load_object(DISTURBANCES, name, Disturbance)


def disturbances() -> dict[str, Disturbance]:
    """Every disturbance that is installed, by name.

    Raises:
        PipelineError: if one cannot be loaded.
    """
    return {name: disturbance(name) for name in registered(DISTURBANCES)}


def exposed_to(kinds: Collection[str]) -> dict[str, Disturbance]:
    """The disturbances that samples of a pipeline are exposed to, by name; no stream of messages.

    Args:
        kinds: of the inputs of the pipeline.

    Raises:
        PipelineError: if one cannot be loaded.
    """
    found = disturbances()
    return {name: each for name, each in found.items() if _meets(each, kinds)}


def _meets(found: Disturbance, kinds: Collection[str]) -> bool:
    if found.acts_on in STREAMS:
        return False
    if found.acts_on in (CALIBRATION, MOTION, TIME):
        return len(kinds) > 1  # of both sensors
    return found.acts_on in kinds and (len(kinds) > 1 or not found.takes_away)
