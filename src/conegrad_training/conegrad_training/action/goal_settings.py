"""Settings of a training run from a YAML file, for runs that no command line starts."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_core.settings import Config, setting
from conegrad_core.settings.groups import Source, read_groups
from conegrad_core.settings.mapping import Location, ReadError
from conegrad_core.vehicle import load_vehicle
from conegrad_data.topics.topics import read_topics
from conegrad_training.action.goal_files import (
    GoalError,
    check_content,
    check_plain,
    check_store,
    folder_within,
    read_sections,
)
from conegrad_training.aliases import current_sections
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.precision import check_precision
from conegrad_training.engine.training_run import Data, TrainingConfig, plain_settings
from conegrad_training.systems.system_config import by_stage
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class DataConfig(Config):
    """Where samples come from besides the bags, and where the run goes."""

    tests: tuple[str, ...] = setting(
        (), "Bags to evaluate on; empty: by --test-share", option="--evaluate", metavar="BAG"
    )
    test_share: float = setting(
        0.0, "Share of the bags kept aside to evaluate on", low=0.0, high=1.0
    )
    track: str = setting(
        "", "Map of the cones (CSV with x, y, colour); empty: the truth in the bag"
    )
    vehicle: str = setting(
        "",
        "Vehicle: name of a preset, or path of a YAML file; its calibration replaces that of the "
        "bag; empty: that of the bag",
    )
    topics: tuple[str, ...] = setting(
        (),
        "Topic of a bag for a role, such as image=/front/image_raw; 'none' leaves the role out; "
        "repeatable; empty: found by type",
        option="--topic",
        metavar="ROLE=TOPIC",
        is_repeated=True,
    )
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
        GoalError: for a section, name or value that does not exist or is out of bounds.
    """
    sources = []
    if path is not None:
        document = read_sections(path)
        sources.append(Source(current_sections(document.content), Location(document.place)))
    of_goal: dict[str, dict[str, Any]] = {}
    if pattern:
        of_goal["pattern"] = {"pattern": pattern}
    if steps:
        of_goal["run"] = {"steps": steps}
    sources.append(Source(current_sections(of_goal), Location()))
    try:
        parts: dict[str, Any] = read_groups(_groups(), sources)
    except ReadError as error:
        raise GoalError(str(error), error.outline) from error
    data, tracking = parts.pop("data"), parts.pop("tracking")
    return GoalSettings(TrainingConfig(**parts), data, tracking)


def _groups() -> dict[str, Config]:
    """Defaults of all sections of a file."""
    training = TrainingConfig()
    parts = {field.name: getattr(training, field.name) for field in dataclasses.fields(training)}
    return {**parts, "data": DataConfig(), "tracking": TrackingConfig()}


def check_goal(settings: GoalSettings, root: Path) -> None:
    """Refuse, before a run begins, what the settings name on this machine.

    Args:
        settings: of the goal.
        root: the folder of the node, which nothing is written outside of.

    Raises:
        FileNotFoundError: if a file does not exist.
        GoalError: if a file cannot be used, or a place to write to lies elsewhere.
        ValueError: if the device cannot train so.
    """
    from conegrad_data.cone_map.cone_map_csv import read_cones

    check_precision(settings.training.system)
    check_store(settings.tracking, root)
    data, system = settings.data, settings.training.system
    if data.resume and not data.output:
        raise GoalError("data.resume is true, expected the folder of that run in data.output")
    for stage, weights in by_stage(system, "weights").items():
        if weights:
            check_plain(f"system.weights {stage}", Path(weights).expanduser())
    plain_settings(settings.training)  # names of stages are those of the pipeline
    for test in data.tests:
        if not Path(test).exists():
            raise GoalError(f"data.tests has {test!r}, which does not exist on this machine")
    if data.track:
        check_plain("data.track", Path(data.track))
        check_content("data.track", data.track, lambda: read_cones(data.track))
    if data.vehicle:
        check_content("data.vehicle", data.vehicle, lambda: load_vehicle(data.vehicle))


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
        sweep=settings.training.sweep,
        topics=read_topics(data.topics, "data.topics"),
    )


def run_folder(root: Path, settings: GoalSettings) -> Path:
    """The folder that the settings name, else the first free ``run_001``, ``run_002`` in a root.

    Raises:
        GoalError: if the settings name a folder outside of the root.
    """
    if settings.data.output:
        return folder_within("data.output", settings.data.output, root)
    number = 1
    while (root / f"run_{number:03d}").exists():
        number += 1
    return root / f"run_{number:03d}"
