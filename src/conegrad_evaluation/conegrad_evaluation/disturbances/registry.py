"""Disturbances that are installed, found by the entry points of their packages.

A package registers objects of :class:`~conegrad_evaluation.disturbances.disturbance.Disturbance`
in the group ``conegrad.disturbances``, under their names; ours stand in our own ``setup.cfg``.
"""

from conegrad_core.pipeline.registry import load_object, registered
from conegrad_evaluation.disturbances.disturbance import Disturbance

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
