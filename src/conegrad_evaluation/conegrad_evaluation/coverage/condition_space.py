"""The conditions that a team wants to be tested, with labels, weights and impossible pairs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conegrad_core.settings.mapping import Location
from conegrad_core.settings.names import unknown_fault
from conegrad_core.settings.yaml_file import read_yaml_file
from conegrad_evaluation.coverage.conditions import OF_CONES, OF_FRAMES

REQUIRED = 3  # blocks that have to show a pair of values of weight 1
FAULT_WEIGHT = 1 / 3  # of a silent sensor: once with each other value is enough
SECTIONS = ("labels", "values", "weights", "impossible", "required")

Value = tuple[str, str]  # a condition and one of its values


@dataclass(frozen=True)
class ConditionSpace:
    """Which conditions there are.

    Attributes:
        of_frames: values of each condition of a frame.
        of_cones: values of each condition of a cone.
        labels: by name of a bag, values that a person gave for all its frames; they replace what
            was measured.
        weights: of values, 1 where none is given, less for a silent sensor; 0 leaves a value out.
        impossible: pairs of values that cannot occur.
        required: blocks that have to show a pair whose values have weight 1.
    """

    of_frames: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(OF_FRAMES))
    of_cones: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(OF_CONES))
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    weights: Mapping[Value, float] = field(
        default_factory=lambda: {
            ("sensors", "no image"): FAULT_WEIGHT,
            ("sensors", "no scan"): FAULT_WEIGHT,
        }
    )
    impossible: frozenset[frozenset[Value]] = frozenset(
        {
            *(
                frozenset({("sensors", "no image"), ("light", light)})
                for light in OF_FRAMES["light"]
            ),
            *(frozenset({("speed", "standing"), ("track", kind)}) for kind in OF_FRAMES["track"]),
            *(frozenset({("speed", "fast"), ("track", kind)}) for kind in ("hairpin",)),
        }
    )
    required: int = REQUIRED

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Values of all conditions."""
        return {**self.of_frames, **self.of_cones}

    def weight(self, value: Value) -> float:
        """Weight of a value."""
        return self.weights.get(value, 1.0)


def read_condition_space(path: Path) -> ConditionSpace:
    """Conditions from a YAML file with the sections of :data:`SECTIONS`, each of them optional.

    ``values`` adds conditions of frames, which ``labels`` then give::

        labels: {wet_lap: {weather: rain, track: left}}
        values: {weather: [dry, rain]}
        weights: {colour: {big_orange: 2}}
        impossible: [{weather: rain, light: glare}]
        required: 5

    Raises:
        FileNotFoundError: if there is no file.
        ValueError: naming file, line, what is wrong and what was expected.
    """
    document = read_yaml_file(path)
    content, at = document.content or {}, Location(document.place)
    _mapping(content, at)
    for name in content:
        if name not in SECTIONS:
            raise (at / name).refusal(unknown_fault(name, SECTIONS))
    default = ConditionSpace()
    frames = {**default.of_frames, **_added(content.get("values", {}), at / "values")}
    values = {**frames, **default.of_cones}
    labels = _mapping(content.get("labels", {}), at / "labels")
    weights = _mapping(content.get("weights", {}), at / "weights")
    impossible = content.get("impossible", [])
    if not isinstance(impossible, list):
        raise (at / "impossible").refusal(f"is {impossible!r}, expected a list of pairs")
    return ConditionSpace(
        of_frames=frames,
        labels={
            bag: dict(_known_values(given, frames, at / "labels" / bag))
            for bag, given in labels.items()
        },
        weights={**default.weights, **_weights(weights, values, at / "weights")},
        impossible=default.impossible
        | {_pair(entry, values, at / "impossible" / k) for k, entry in enumerate(impossible)},
        required=_count(content.get("required", REQUIRED), at / "required"),
    )


def _mapping(content: Any, at: Location) -> Mapping[Any, Any]:
    if not isinstance(content, Mapping):
        raise at.refusal(f"is {content!r}, expected names with values")
    return content


def _added(content: Any, at: Location) -> dict[str, tuple[str, ...]]:
    added = {}
    for name, values in _mapping(content, at).items():
        if not isinstance(values, list) or len(values) < 2:
            raise (at / name).refusal(f"is {values!r}, expected a list of two values or more")
        added[str(name)] = tuple(map(str, values))
    return added


def _known_values(content: Any, known: Mapping[str, tuple[str, ...]], at: Location) -> list[Value]:
    found = []
    for name, value in _mapping(content, at).items():
        if name not in known:
            raise (at / name).refusal(unknown_fault(name, known))
        if value not in known[name]:
            raise (at / name).refusal(f"is {value!r}, expected one of {', '.join(known[name])}")
        found.append((name, value))
    return found


def _pair(content: Any, known: Mapping[str, tuple[str, ...]], at: Location) -> frozenset[Value]:
    found = frozenset(_known_values(content, known, at))
    if len(found) != 2:
        raise at.refusal(f"has {len(found)} conditions, expected two that cannot occur together")
    return found


def _weights(
    content: Mapping[Any, Any], known: Mapping[str, tuple[str, ...]], at: Location
) -> dict[Value, float]:
    found: dict[Value, float] = {}
    for name, given in content.items():
        for value, weight in _mapping(given, at / name).items():
            here = at / name / value
            _known_values({name: value}, known, at)
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
                raise here.refusal(f"is {weight!r}, expected a number of at least 0")
            found[name, value] = float(weight)
    return found


def _count(value: Any, at: Location) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise at.refusal(f"is {value!r}, expected a whole number of at least 1")
    return value
