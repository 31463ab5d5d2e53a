"""What a running graph made of faults: when it told them, what went on, when it was as before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conegrad_core.settings import Config, setting
from conegrad_evaluation.disturbances.disturbance import CALIBRATION
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.disturbances.message_fault import ACTS_ON
from conegrad_evaluation.disturbances.registry import disturbances
from conegrad_evaluation.robustness.robustness import ALL

TOLD, GAP, RECOVERED = 1.0, 0.15, 2.0  # [s], targets


@dataclass(frozen=True)
class LiveSettings(Config):
    """How faults are switched on in the live graph."""

    seconds: float = setting(3.0, "How long each fault is switched on [s]", low=0.5)
    pace: float = setting(
        0.5, "Fastest speed relative to real time; a busy machine goes slower", low=0.05, high=1.0
    )


class LiveOutcome(NamedTuple):
    """What came of one fault; times are of the bag.

    Attributes:
        fault: that was switched on for a while.
        seconds: how long.
        told: from the first message that it changed until /diagnostics named the sensor with a
            level above OK [s]; NaN where it never did.
        teller: name and text of that status.
        gap: longest time without cones, from the begin of the fault until all was as before [s].
        usual_gap: longest time without cones in the second before [s].
        cones: from the end of the fault until cones of all sensors, measured after it [s]; NaN
            where none came.
        calm: until no status was above OK that was not before the fault [s]; NaN likewise.
    """

    fault: Fault
    seconds: float
    told: float
    teller: str
    gap: float
    usual_gap: float
    cones: float
    calm: float

    @property
    def recovered(self) -> float:
        """From the end of the fault until cones and diagnostics were as before [s]."""
        return max(self.cones, self.calm) if self.is_over else math.nan

    @property
    def is_over(self) -> bool:
        """Whether all was as before again."""
        return not (math.isnan(self.cones) or math.isnan(self.calm))

    @property
    def missed(self) -> list[str]:
        """Targets that were missed, in words."""
        found = []
        if not self.told <= TOLD:
            found.append("not told" if math.isnan(self.told) else f"told after {self.told:.2f} s")
        # Where cones came more rarely before, the fault cannot be blamed for it.
        if self.gap > max(GAP, self.usual_gap):
            found.append(f"{self.gap:.2f} s without cones")
        if not self.recovered <= RECOVERED:
            text = f"recovered after {self.recovered:.2f} s"
            found.append(text if self.is_over else "not recovered")
        return found


def live_faults(words: Sequence[str], sensors: Sequence[str], seed: int = 0) -> list[Fault]:
    """Faults of words that messages can show.

    Args:
        words: as of the settings of the robustness run; ``all``: every one that is installed and
            acts on one of the sensors, at every severity.
        sensors: of the pipeline, ``camera`` and ``lidar``; odometry is always there.
        seed: of the random draws.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for another form, or a severity or parameter that there is not.
    """
    if tuple(words) != (ALL,):
        return [read_fault(word, seed) for word in words]
    fed = {*sensors, "odometry"}
    return [
        Fault(name, severity, seed=seed)
        for name, found in disturbances().items()
        if ACTS_ON.get(found.acts_on) in fed
        and not (found.acts_on == CALIBRATION and "x" in found.severities[0])
        for severity in range(1, len(found.severities) + 1)
    ]
