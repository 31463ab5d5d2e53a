"""A fault: a disturbance that was chosen, with its severity and seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from conegrad_evaluation.disturbances.disturbance import Disturbance
from conegrad_evaluation.disturbances.registry import disturbance

USUAL = 2  # severity where none is given


@dataclass(frozen=True)
class Fault:
    """A chosen disturbance.

    Attributes:
        name: of the disturbance.
        severity: 1 is the mildest; 0: the second, where there is one.
        given: parameters that replace those of the severity.
        seed: of the random draws.
    """

    name: str
    severity: int = 0
    given: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def disturbance(self) -> Disturbance:
        """What is registered under the name.

        Raises:
            PipelineError: if no package registers it.
        """
        return disturbance(self.name)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters.

        Raises:
            PipelineError: if no package registers the disturbance.
            ValueError: for a severity or a parameter that it does not have.
        """
        return self.disturbance.parameters(self._severity, self.given)

    @property
    def _severity(self) -> int:
        return self.severity or min(USUAL, len(self.disturbance.severities))

    def __str__(self) -> str:
        """As :func:`read_fault` takes it."""
        given = ",".join(f"{name}={value:g}" for name, value in self.given.items())
        return f"{self.name}:{given or self._severity}"


def read_fault(text: str, seed: int = 0) -> Fault:
    """A fault of words ``NAME``, ``NAME:SEVERITY`` or ``NAME:PARAMETER=VALUE,...``.

    Raises:
        PipelineError: if no package registers the disturbance.
        ValueError: for another form, a severity or a parameter that it does not have.
    """
    name, _, rest = text.partition(":")
    fault = Fault(name, seed=seed)
    if rest.isdigit():
        fault = Fault(name, int(rest), seed=seed)
    elif rest:
        pairs = [word.partition("=") for word in rest.split(",")]
        try:
            given = {key.strip(): float(value) for key, _, value in pairs}
        except ValueError:
            raise ValueError(
                f"fault is {text!r}, expected NAME, NAME:SEVERITY or NAME:PARAMETER=VALUE,..."
            ) from None
        fault = Fault(name, given=given, seed=seed)
    fault.parameters  # noqa: B018 - refuses what the disturbance does not have
    return fault
