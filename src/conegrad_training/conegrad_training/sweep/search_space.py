"""What a sweep varies: settings of a training, given as words."""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_origin

from optuna.trial import BaseTrial

from conegrad_core.settings import Config
from conegrad_core.settings.names import unknown_fault
from conegrad_core.settings.values import (
    ValueKindError,
    entry_kinds,
    kinds_of,
    read_text,
    value_kind,
)
from conegrad_training.engine.training_run import TrainingConfig

RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>.+?)(?P<log>:log)?")
FORMS = "expected GROUP.NAME=A|B|..., GROUP.NAME=LOW..HIGH or GROUP.NAME=LOW..HIGH:log"


class Dimension(NamedTuple):
    """A setting that is varied.

    Attributes:
        group: of the settings.
        field: of the group.
        stage: whose entry ``STAGE=VALUE`` of a field of words is varied; empty: the whole field.
        choices: words to choose from; empty: a number between two bounds.
        low: bound.
        high: bound.
        is_log: drawn evenly in the logarithm.
        is_whole: a whole number.
    """

    group: str
    field: str
    stage: str = ""
    choices: tuple[str, ...] = ()
    low: float = math.nan
    high: float = math.nan
    is_log: bool = False
    is_whole: bool = False

    @property
    def name(self) -> str:
        """As in the word."""
        return ".".join(filter(None, (self.group, self.field, self.stage)))

    def suggest(self, trial: BaseTrial) -> Any:
        """A value that the sampler of a trial chooses."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if self.is_whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.is_log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.is_log)


def read_space(words: Iterable[str]) -> list[Dimension]:
    """Dimensions of words such as ``pattern.pattern=individual|simultaneous``.

    A rate of one stage is ``optimizer.rates.STAGE=1e-5..1e-3:log``.

    Raises:
        ValueError: naming the word: no such setting, another form, or empty bounds.
    """
    space: list[Dimension] = []
    for word in words:
        name, equals, values = word.partition("=")
        group, _, rest = name.partition(".")
        field, _, stage = rest.partition(".")
        if not equals or not values or not field:
            raise ValueError(f"--vary has {word!r}, {FORMS}")
        kind = _kind(group, field, word)
        is_words = get_origin(kind) is tuple
        if stage and not is_words:
            raise ValueError(f"--vary has {word!r}, but {group}.{field} has no entries of stages")
        entry = float if stage else entry_kinds(kind)[0] if is_words else kind
        dimension = _dimension(Dimension(group, field, stage), values, entry, word)
        if dimension.name in {other.name for other in space}:
            raise ValueError(f"--vary names {dimension.name} twice")
        space.append(dimension)
    if not space:
        raise ValueError(f"nothing is varied, expected --vary: {FORMS.removeprefix('expected ')}")
    return space


def applied(
    config: TrainingConfig, space: Sequence[Dimension], values: Mapping[str, Any]
) -> TrainingConfig:
    """The settings with the values of a trial.

    Args:
        config: settings.
        space: what is varied.
        values: by the name of the dimension.

    Raises:
        SettingError: if a value is out of bounds.
    """
    for dimension in space:
        group: Config = getattr(config, dimension.group)
        value = _value(group, dimension, values[dimension.name])
        changed: Any = dataclasses.replace(group, **{dimension.field: value})
        config = dataclasses.replace(config, **{dimension.group: changed})
    return config


def as_sections(
    config: TrainingConfig, space: Sequence[Dimension], values: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The varied settings by group, as ``conegrad train --config`` takes them."""
    chosen = applied(config, space, values)
    sections: dict[str, dict[str, Any]] = {}
    for dimension in space:
        value = getattr(getattr(chosen, dimension.group), dimension.field)
        plain = list(value) if isinstance(value, tuple) else value
        sections.setdefault(dimension.group, {})[dimension.field] = plain
    return sections


def _kind(group: str, field: str, word: str) -> Any:
    """Kind of a setting of a training."""
    groups = {f.name: f for f in dataclasses.fields(TrainingConfig)}
    if group not in groups:
        raise ValueError(f"--vary {word}: {group!r} {unknown_fault(group, groups)}")
    kinds = kinds_of(type(getattr(TrainingConfig(), group)))
    if field not in kinds:
        raise ValueError(f"--vary {word}: {group}.{field} {unknown_fault(field, kinds)}")
    return value_kind(kinds[field])[0]


def _dimension(empty: Dimension, values: str, kind: Any, word: str) -> Dimension:
    bounds = RANGE.fullmatch(values) if kind in (int, float) else None
    try:
        if bounds is None:
            return empty._replace(choices=_choices(values, kind))
        low, high = (float(read_text(kind, bounds[end])) for end in ("low", "high"))
    except ValueKindError as error:
        raise ValueError(f"--vary {word}: {empty.name} {error}") from error
    is_log = bool(bounds["log"])
    if not low < high or (is_log and low <= 0):
        expected = "expected LOW below HIGH" + (", both above 0" if is_log else "")
        raise ValueError(f"--vary {word}: bounds are {low:g} and {high:g}, {expected}")
    return empty._replace(low=low, high=high, is_log=is_log, is_whole=kind is int)


def _choices(values: str, kind: Any) -> tuple[str, ...]:
    choices = tuple(values.split("|"))
    if len(set(choices)) < max(2, len(choices)) or not all(choices):
        raise ValueKindError(f"has the choices {values!r}, expected two different ones at least")
    for choice in choices:
        if kind is bool and choice not in ("true", "false"):
            raise ValueKindError(f"has the choice {choice!r}, expected true or false")
        if kind is not bool:
            read_text(kind, choice)
    return choices


def _value(group: Config, dimension: Dimension, value: Any) -> Any:
    """A value of a dimension as the field holds it."""
    kind = value_kind(kinds_of(type(group))[dimension.field])[0]
    if dimension.stage:
        start = f"{dimension.stage}="
        others = [word for word in getattr(group, dimension.field) if not word.startswith(start)]
        return (*others, f"{start}{value}")
    if get_origin(kind) is tuple:
        entry = entry_kinds(kind)[0]
        return tuple(read_text(entry, part) for part in str(value).split(","))
    if kind is bool:
        return bool(value == "true")
    return read_text(kind, value) if dimension.choices else value
