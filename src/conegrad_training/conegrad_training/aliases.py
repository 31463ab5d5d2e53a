"""Names of version 0.1 that still work in version 0.2, each with a warning.

Version 0.1 knew one pipeline, and its parts by the names of sensors. Settings, options, patterns
and checkpoints of that version are read here and nowhere else.
"""

import argparse
import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.settings.groups import TOP, Given, GivenFields
from conegrad_core.settings.mapping import Location
from conegrad_core.settings.names import option_of, warn_renamed
from conegrad_core.settings.options import GIVEN, option_of_field

logger = logging.getLogger(__name__)

STAGES = {"camera": "detector", "lidar": "segmenter", "fusion": "fuser"}
STAGE_RATES = ("camera_rate", "lidar_rate")  # of the node of a stage
PATTERNS = {"partial_camera": "detector", "partial_lidar": "segmenter"}

WEIGHT_DECAY = 0.01  # of both networks

# Old setting: section, then the fields of today with the stages that the value is for.
SETTINGS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "camera": ("system", (("weights", "detector"),)),
    "lidar": ("system", (("weights", "segmenter"),)),
    "fusion": ("system", (("weights", "fuser"),)),
    "camera_rate": ("optimizer", (("rates", "detector"),)),
    "own_camera_rate": ("optimizer", (("supervised_rates", "detector"),)),
    "lidar_rate": ("optimizer", (("rates", "segmenter"), ("supervised_rates", "segmenter"))),
    "fusion_rate": ("optimizer", (("rates", "fuser"), ("supervised_rates", "fuser"))),
    "weight_decay": ("optimizer", (("weight_decays", "detector"), ("weight_decays", "segmenter"))),
}


def current_settings(section: str, values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Settings of a section under the names of today; each old name is warned of.

    Args:
        section: ``system``, ``optimizer`` or ``pattern``; others stay as they are.
        values: as they were given.
    """
    found = dict(values)
    for old, (of_section, fields) in SETTINGS.items():
        if of_section == section and old in found:
            value = found.pop(old)
            for field, stage in fields if value != "" else ():
                found[field] = [*found.get(field, ()), f"{stage}={value}"]
            today = ", ".join(f"{field} {stage}={value}" for field, stage in fields)
            warn_renamed(f"{section}.{old}", f"{section}.{today}")
    if section == "pattern" and found.get("pattern") in PATTERNS:
        old = found["pattern"]
        found |= {"pattern": "partial", "stages": [PATTERNS[old]]}
        warn_renamed(f"pattern {old}", f"pattern partial with stages {PATTERNS[old]}")
    return found


def current_sections(content: Mapping[Any, Any]) -> dict[Any, Any]:
    """Sections of settings, each as of :func:`current_settings`; what is none stays as it is."""
    return {
        name: current_settings(name, values) if isinstance(values, Mapping) else values
        for name, values in content.items()
    }


def add_options(parser: argparse.ArgumentParser, settings: CommandSettings) -> None:
    """Take the options of version 0.1 for the settings of a command, hidden from the help."""
    for name, (_, fields) in SETTINGS.items():
        if all(_group_of(settings, field) is not None for field, _ in fields):
            parser.add_argument(option_of(name), default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def translate_options(options: argparse.Namespace, settings: CommandSettings) -> None:
    """Put the values of old options where those of today are."""
    given: GivenFields = getattr(options, GIVEN, {})
    for old, (_, fields) in SETTINGS.items():
        if not hasattr(options, old):
            continue
        value = getattr(options, old)
        for field, stage in fields if value else ():
            group = _group_of(settings, field) or TOP
            before = given.get((group, field))
            defaults = getattr(settings.groups[group].defaults, field)
            words = (*(before.value if before else defaults), f"{stage}={value}")
            given[group, field] = Given(words, Location(keys=(option_of(old),)))
        today = " ".join(f"{_option(settings, field)} {stage}={value}" for field, stage in fields)
        warn_renamed(option_of(old), today)
    pattern = given.get(("pattern", "pattern"))
    if pattern is not None and pattern.value in PATTERNS:
        for field, value in current_settings("pattern", {"pattern": pattern.value}).items():
            read = tuple(value) if isinstance(value, list) else value
            given["pattern", field] = Given(read, pattern.at)
    patterns = given.get((TOP, "patterns"))
    if patterns is not None:
        names = tuple(current_pattern(name) for name in patterns.value)
        given[TOP, "patterns"] = Given(names, patterns.at)
    setattr(options, GIVEN, given)


def _group_of(settings: CommandSettings, field: str) -> str | None:
    """Group of settings that has a field."""
    for name, group in settings.groups.items():
        if any(of_group.name == field for of_group in dataclasses.fields(group.defaults)):
            return name
    return None


def _option(settings: CommandSettings, field: str) -> str:
    """The option of today that gives a field."""
    defaults = settings.groups[_group_of(settings, field) or TOP].defaults
    return next(
        option_of_field(each) for each in dataclasses.fields(defaults) if each.name == field
    )


def current_pattern(name: str) -> str:
    """Name of a planned pattern of a comparison: ``partial_STAGE`` for that of a sensor."""
    if name not in PATTERNS:
        return name
    warn_renamed(f"pattern {name}", f"pattern partial_{PATTERNS[name]}")
    return f"partial_{PATTERNS[name]}"


def current_checkpoint(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Content of a checkpoint of version 0.1 as this version writes it; others stay as they are.

    Raises:
        ValueError: if the run learned from supervised losses: that version did not count the
            labels of each stage.
    """
    if "budget" not in content["extra"]:
        return content
    config: Mapping[str, Any] = content["config"]
    seen = [[*key.split(": ", 1), values] for key, values in _seen(content).items()]
    if any(needed_by == "own" for needed_by, *_ in seen):
        raise ValueError(
            f"{path} was written by version 0.1 in an individual training, which this version "
            "cannot go on with: finish it with version 0.1, or begin anew from its weights "
            "in another output folder"
        )
    logger.info("%s was written by version 0.1", path)
    budget: dict[str, Any] = content["extra"]["budget"]
    cost = {**budget, "seen": seen}
    for name in ("forward", "backward"):
        cost[name] = {STAGES[part]: samples for part, samples in budget[name].items()}
    return {
        **content,
        "config": _config(config),
        "model": {_state_key(key): value for key, value in content["model"].items()},
        "extra": {"cost": cost, "pattern": _pattern_state(content["extra"]["pattern"])},
    }


def _seen(content: Mapping[str, Any]) -> dict[str, int]:
    seen: dict[str, int] = content["extra"]["budget"]["seen"]
    return seen


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as this version compares them."""
    renamed = {f"{section}.{name}" for name, (section, _) in SETTINGS.items()}
    kept = {key: value for key, value in config.items() if key not in renamed}
    pattern = config["pattern.pattern"]
    kept["pattern.pattern"] = "partial" if pattern in PATTERNS else pattern
    kept["pattern.stages"] = (PATTERNS[pattern],) if pattern in PATTERNS else ()
    old = {name: config[f"{section}.{name}"] for name, (section, _) in SETTINGS.items()}
    return kept | _stage_settings(old)


def _stage_settings(old: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the stages of the car, from those of version 0.1 by their old names."""
    names = {
        "detector": ("camera", "camera_rate", "own_camera_rate", "weight_decay"),
        "segmenter": ("lidar", "lidar_rate", "lidar_rate", "weight_decay"),
        "fuser": ("fusion", "fusion_rate", "fusion_rate", ""),
    }
    fields = ("weights", "rate", "supervised_rate", "weight_decay")
    found: dict[str, Any] = {"system.pipeline": "camera_lidar"}
    for stage, of_stage in names.items():
        for field, name in zip(fields, of_stage, strict=True):
            found[f"stages.{stage}.{field}"] = old[name] if name else 0.0
    return found


def current_comparison(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a folder of comparisons of version 0.1 as this version writes them."""
    if "camera_rate" not in settings:
        return dict(settings)
    kept = {key: value for key, value in settings.items() if key not in SETTINGS}
    kept["fingerprint"] = kept.pop("weights", "")
    decay = {"weight_decay": WEIGHT_DECAY} | dict(settings)  # it was no setting
    return kept | _stage_settings(decay)


def _pattern_state(state: Mapping[str, Any]) -> dict[str, Any]:
    if "parts" in state:
        return {"patterns": [_pattern_state(part) for part in state["parts"]]}
    return {**state, "turn": STAGES[state["turn"]]} if "turn" in state else dict(state)


def _state_key(key: str) -> str:
    stage, _, rest = key.removeprefix("perception.").partition(".")
    return f"pipeline.stages.{stage}.module.{rest}"
