"""Options: the trainings of a system that a forecast compares."""

from dataclasses import dataclass

from conegrad_training.patterns.patterns import PARTIAL, SIMULTANEOUS, PatternConfig
from conegrad_training.systems.system import TrainableSystem

ALL, FUSION, CALIBRATION = "all", "fusion", "calibration"


@dataclass(frozen=True)
class Option:
    """A training that could be made.

    Attributes:
        name: of a network, or :data:`ALL`, :data:`FUSION`, :data:`CALIBRATION`.
        pattern: what ``conegrad train`` is given.
    """

    name: str
    pattern: PatternConfig

    def learning(self, system: TrainableSystem) -> frozenset[str]:
        """Stages that learn."""
        joins = frozenset(system.end_joins) if self.pattern.learn_fusion else frozenset[str]()
        if self.pattern.pattern == PARTIAL:
            return joins | frozenset(self.pattern.stages)
        if self.pattern.pattern == SIMULTANEOUS:
            return joins | frozenset(system.end_networks)
        return frozenset(system.end_joins)

    @property
    def command(self) -> str:
        """Options of ``conegrad train`` that make it."""
        words = [f"--pattern {self.pattern.pattern}"]
        if self.pattern.stages:
            words.append(f"--stages {' '.join(self.pattern.stages)}")
        if self.pattern.learn_calibration:
            words.append("--learn-calibration")
        return " ".join(words)


def options_of(system: TrainableSystem) -> tuple[Option, ...]:
    """Each network alone, all networks, what joins them, and their calibration.

    Networks alone and together learn along with what joins them, as ``conegrad train`` does.
    """
    networks = system.end_networks
    found = [Option(name, PatternConfig(pattern=PARTIAL, stages=(name,))) for name in networks]
    if len(networks) > 1:
        found.append(Option(ALL, PatternConfig(pattern=SIMULTANEOUS)))
    if system.end_joins:
        found.append(Option(FUSION, PatternConfig(pattern="fusion_only")))
    if any(list(system.pipeline.stage(name).calibration_weights()) for name in system.end_joins):
        learned = PatternConfig(pattern="fusion_only", learn_calibration=True)
        found.append(Option(CALIBRATION, learned))
    return tuple(found)
