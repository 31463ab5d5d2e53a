"""Settings of a training run from a YAML file, for runs that no command line starts."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conegrad_core.config import Config, SettingError, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_training.tracking import TrackingConfig
from conegrad_training.training_data import bag_data
from conegrad_training.training_run import Data, TrainingConfig


@dataclass(frozen=True)
class DataConfig(Config):
    """Where samples come from besides the bags, and where the run goes."""

    tests: tuple[str, ...] = setting((), "Bags to judge by")
    test_share: float = setting(0.0, "Share of the bags kept aside to judge by", low=0.0, high=1.0)
    track: str = setting("", "Map of the cones, CSV; empty: the truth topics of the bags")
    vehicle: str = setting("", "Preset by name or file that replaces the bags' calibration")
    output: str = setting("", "Folder of the run; empty: a new one")
    resume: bool = setting(False, "Go on from the checkpoint in output")


@dataclass(frozen=True)
class GoalSettings:
    """All settings of a run that a goal starts.

    Attributes:
        training: as of ``conegrad train``.
        data: samples and output.
        tracking: where the run is tracked.
    """

    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    tracking: TrackingConfig = dataclasses.field(default_factory=TrackingConfig)


def read_goal_settings(path: Path | None, pattern: str = "", steps: int = 0) -> GoalSettings:
    """Settings of a file, with what the goal says itself.

    Args:
        path: YAML with a section per field of TrainingConfig, ``data`` and ``tracking``; None:
            the defaults.
        pattern: replaces that of the file where it is not empty.
        steps: replaces those of the file where not 0.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a section, name or value that does not exist or is out of bounds.
    """
    content = _content(path) if path is not None else {}
    classes: dict[str, Any] = {
        field.name: type(getattr(TrainingConfig(), field.name))
        for field in dataclasses.fields(TrainingConfig)
    }
    classes |= {"data": DataConfig, "tracking": TrackingConfig}
    _check_names(f"{path}", content, list(classes))
    place = f"{path}: " if path is not None else ""
    if pattern:
        content["pattern"] = {**content.get("pattern", {}), "pattern": pattern}
    if steps:
        content["run"] = {**content.get("run", {}), "steps": steps}
    parts = {
        name: _section(f"{place}{name}", config_class, content[name])
        for name, config_class in classes.items()
        if name in content
    }
    data = parts.pop("data", DataConfig())
    tracking = parts.pop("tracking", TrackingConfig())
    return GoalSettings(TrainingConfig(**parts), data, tracking)


def goal_data(bags: Sequence[Path], settings: GoalSettings) -> Data:
    """Samples of the bags of a goal.

    Raises:
        ReplayError: if there is no bag, or one cannot be learned from.
    """
    data = settings.data
    return bag_data(
        bags,
        tests=[Path(test) for test in data.tests],
        test_share=data.test_share,
        seed=settings.training.run.seed,
        track=Path(data.track) if data.track else None,
        vehicle=load_vehicle(data.vehicle) if data.vehicle else None,
        reduction=settings.training.reduction,
    )


def run_folder(root: Path, settings: GoalSettings) -> Path:
    """The folder that the settings name, else the first free ``run_001``, ``run_002`` in a root."""
    if settings.data.output:
        return Path(settings.data.output).expanduser()
    number = 1
    while (root / f"run_{number:03d}").exists():
        number += 1
    return root / f"run_{number:03d}"


def _content(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, expected sections")
    return content


def _section(place: str, config_class: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"{place} is {values!r}, expected names with values")
    _check_names(place, values, [field.name for field in dataclasses.fields(config_class)])
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    try:
        return config_class(**plain)
    except SettingError as error:
        raise ValueError(f"{place}.{error.field} {error.fault}") from error


def _check_names(place: str, content: Mapping[str, Any], allowed: Sequence[str]) -> None:
    unknown = sorted(str(name) for name in content if name not in allowed)
    if unknown:
        raise ValueError(f"{place} has {unknown[0]!r}, expected some of {', '.join(allowed)}")
