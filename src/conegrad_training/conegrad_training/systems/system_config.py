"""Settings of the system that is trained, and what they say of each stage."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.build import DEFAULT, stage_classes
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config, setting
from conegrad_core.settings.names import nearest
from conegrad_core.system_record.location import pinned


@dataclass(frozen=True)
class SystemConfig(Config):
    """Pipeline, weights and input size of the system that is trained.

    All fields but ``pipeline`` and ``weights`` go to every stage that has a setting of that name;
    where one is left at its default, the pipeline file decides.
    """

    pipeline: str = setting(
        DEFAULT,
        "Pipeline (name, or path of its file) or recorded system (NAME@ALIAS, NAME/VERSION, path)",
    )
    weights: tuple[str, ...] = setting(
        (), "Weights of stages; empty: those that ship", metavar="STAGE=FILE"
    )
    device: str = setting("cpu", "Device of torch, such as cpu, cuda or cuda:1")
    precision: str = setting(
        "fp32", "Precision of the detector's convolutions", choices=("fp32", "bf16", "fp16")
    )
    input_width: int = setting(640, "Width of the detector's input [px]", low=32, high=4096)
    input_height: int = setting(384, "Height of the detector's input [px]", low=32, high=4096)
    crop_top: float = setting(0.0, "Fraction of rows cut off at the top", low=0.0, high=0.95)
    crop_bottom: float = setting(0.0, "Fraction of rows cut off at the bottom", low=0.0, high=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        by_stage(self, "weights")
        object.__setattr__(self, "pipeline", pinned(self.pipeline))  # a run may go on much later

    @property
    def classes(self) -> dict[str, type[Stage]]:
        """Class of every stage of the pipeline.

        Raises:
            FileNotFoundError: if there is no such pipeline.
            PipelineError: if a stage is not registered.
        """
        return stage_classes(load_specification(self.pipeline))

    def with_weights(self, files: Mapping[str, str | Path]) -> "SystemConfig":
        """These settings with weights files of stages."""
        weights = by_stage(self, "weights") | {name: str(path) for name, path in files.items()}
        words = tuple(f"{name}={path}" for name, path in weights.items())
        return dataclasses.replace(self, weights=words)


def stage_settings(config: SystemConfig) -> dict[str, dict[str, Any]]:
    """Settings of each stage that differ from those of the pipeline file.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: if a stage is not registered.
        SettingError: for weights of a stage that does not exist.
    """
    classes, default = config.classes, SystemConfig()
    weights = by_stage(config, "weights")
    check_stages(config, "weights", weights, classes)
    shared = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name not in ("pipeline", "weights")
        and getattr(config, field.name) != getattr(default, field.name)
    }
    settings: dict[str, dict[str, Any]] = {}
    for name, stage_class in classes.items():
        known = {field.name for field in dataclasses.fields(stage_class.config_class)}
        settings[name] = {key: value for key, value in shared.items() if key in known}
        if weights.get(name):
            settings[name]["weights"] = weights[name]
    return settings


def by_stage(config: Config, field: str) -> dict[str, str]:
    """Values by stage of a field with words ``STAGE=VALUE``.

    Raises:
        SettingError: for a word of another form.
    """
    values: dict[str, str] = {}
    for word in getattr(config, field):
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise config.refusal(field, f"has {word!r}, expected STAGE=VALUE")
        values[name] = value
    return values


def check_stages(config: Config, field: str, named: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names of stages that a pipeline does not have.

    Raises:
        SettingError: naming the first one.
    """
    expected = list(known)
    for name in named:
        if name not in expected:
            listed = f"{', '.join(expected)}{nearest(name, expected)}"
            fault = f"names the stage {name!r}, expected one of {listed}"
            raise config.refusal(field, fault)
