"""Attacks that are installed, found by the entry points of their packages.

A package registers objects of :class:`~conegrad_evaluation.attacks.attack.Attack` in the group
``conegrad.attacks``, under their names; ours stand in our own ``setup.cfg``.
"""

from conegrad_core.pipeline.registry import load_object, registered
from conegrad_evaluation.attacks.attack import Attack

ATTACKS = "conegrad.attacks"


def attack(name: str) -> Attack:
    """The attack of a name.

    Raises:
        PipelineError: if no package registers it (lists those that are), or two do.
    """
    return load_object(ATTACKS, name, Attack)


def attacks() -> dict[str, Attack]:
    """Every attack that is installed, by name.

    Raises:
        PipelineError: if one cannot be loaded.
    """
    return {name: attack(name) for name in registered(ATTACKS)}
