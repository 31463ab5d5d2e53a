"""A threat: attacks that were chosen, each with its budget, which act at the same time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from conegrad_evaluation.attacks.attack import Attack
from conegrad_evaluation.attacks.registry import attack

AND = "+"  # between attacks that act at the same time


@dataclass(frozen=True)
class ChosenAttack:
    """An attack with its budget.

    Attributes:
        name: of the attack.
        given: parameters that replace those of the usual budget.
    """

    name: str
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def attack(self) -> Attack:
        """What is registered under the name.

        Raises:
            PipelineError: if no package registers it.
        """
        return attack(self.name)

    @property
    def budget(self) -> dict[str, float]:
        """All parameters.

        Raises:
            PipelineError: if no package registers the attack.
            ValueError: for a parameter that it does not have, or out of its limits.
        """
        return self.attack.budget(self.given)

    def __str__(self) -> str:
        """As :func:`read_threat` takes it."""
        found, budget = self.attack, self.budget
        if set(self.given) <= {found.size}:
            return f"{self.name}:{budget[found.size]:g}"
        return f"{self.name}:" + ",".join(f"{name}={v:g}" for name, v in self.given.items())


@dataclass(frozen=True)
class Threat:
    """Attacks that act at the same time, each on a port of another kind.

    Attributes:
        attacks: with their budgets.
    """

    attacks: tuple[ChosenAttack, ...]

    def __post_init__(self) -> None:
        kinds = [chosen.attack.acts_on for chosen in self.attacks]
        if len(set(kinds)) < len(kinds) or not kinds:
            raise ValueError(
                f"threat {self} acts on {', '.join(kinds) or 'nothing'}, expected each attack on "
                "another kind of port"
            )

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of the ports that are attacked."""
        return frozenset(chosen.attack.acts_on for chosen in self.attacks)

    @property
    def is_shared(self) -> bool:
        """Part of it is the same in all samples of a drive."""
        return any(chosen.attack.share is not None for chosen in self.attacks)

    def __str__(self) -> str:
        """As :func:`read_threat` takes it."""
        return AND.join(str(chosen) for chosen in self.attacks)


def read_threat(text: str) -> Threat:
    """A threat of words ``NAME``, ``NAME:SIZE`` or ``NAME:PARAMETER=VALUE,...``, joined by ``+``.

    Raises:
        PipelineError: if no package registers an attack.
        ValueError: for another form, a parameter that there is not, or a value out of its limits.
    """
    return Threat(tuple(_read_attack(word.strip()) for word in text.split(AND)))


def _read_attack(text: str) -> ChosenAttack:
    name, _, rest = text.partition(":")
    words = [word.partition("=") for word in rest.split(",")] if rest else []
    form = "expected NAME, NAME:SIZE or NAME:PARAMETER=VALUE,..., joined by +"
    try:
        if len(words) == 1 and not words[0][1]:
            chosen = ChosenAttack(name, {attack(name).size: float(rest)})
        else:
            given = {key.strip(): float(value) for key, _, value in words}
            chosen = ChosenAttack(name, given)
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(f"attack is {text!r}, {form}") from None
    chosen.budget  # noqa: B018 - refuses what the attack does not have
    return chosen
