"""Description of a system: what ``system.json`` of a record says of it."""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from conegrad_core.system_record.errors import RecordError

FORMAT = 1
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
NAME_FORM = "a word of letters, digits, '_', '.' and '-' that begins with a letter"

Metrics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class StageEntry:
    """A stage of a recorded system.

    Attributes:
        module: name under which its class is registered.
        weights: path of its weights file in the record; empty: it has none.
        hash: :func:`~conegrad_core.system_record.stage_hash.stage_hash` of it.
        scalars: learned values with a meaning of their own.
    """

    module: str
    weights: str
    hash: str
    scalars: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Bag:
    """A recording that a system was trained on.

    Attributes:
        name: of its folder or file.
        sha256: hash of its content; empty: it was not computed.
        role: ``training`` or ``evaluation``.
    """

    name: str
    sha256: str = ""
    role: str = "training"


@dataclass(frozen=True)
class Description:
    """Where a system comes from and how good it is; what is not known is left empty.

    Attributes:
        name: of the system.
        parents: ids of the records whose weights it started from.
        pattern: training pattern that made it.
        seeds: of the training.
        command: that made it.
        git_revision: of the source tree that it was made with.
        bags: that it was trained or measured on.
        metrics: figures by name, of the whole (``system``) and of its stages by their names.
        settings: of the training, by section.
        note: what a person says of it.
        created: time in UTC, ISO 8601.

    Raises:
        RecordError: if the name has another form.
    """

    name: str
    parents: tuple[str, ...] = ()
    pattern: str = ""
    seeds: tuple[int, ...] = ()
    command: str = ""
    git_revision: str = ""
    bags: tuple[Bag, ...] = ()
    metrics: Metrics = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    note: str = ""
    created: str = field(
        default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds")
    )

    def __post_init__(self) -> None:
        check_name(self.name, "the system")


@dataclass(frozen=True)
class SystemEntry:
    """The content of ``system.json``: the description, and what the pipeline itself says.

    Attributes:
        description: as given, without the settings, which have a file of their own.
        pipeline: name or file of the pipeline that was recorded.
        integration: how its networks are connected.
        stages: by name, in their order.
        version: of ConeGrad that wrote it.
    """

    description: Description
    pipeline: str
    integration: str
    stages: Mapping[str, StageEntry]
    version: str

    @property
    def content(self) -> bytes:
        """The file."""
        described = dataclasses.asdict(self.description)
        del described["settings"]
        content = {
            "format": FORMAT,
            **described,
            "pipeline": self.pipeline,
            "integration": self.integration,
            "stages": {name: dataclasses.asdict(stage) for name, stage in self.stages.items()},
            "conegrad_version": self.version,
        }
        return (json.dumps(content, indent=2) + "\n").encode()


def read_entry(path: Path, settings: Mapping[str, Any]) -> SystemEntry:
    """The content of a ``system.json`` file.

    Args:
        path: of the file.
        settings: of the training, by section.

    Raises:
        RecordError: naming the file, if it is not one of :attr:`SystemEntry.content`.
    """
    try:
        read = json.loads(path.read_bytes())
        form = read["format"]
        if form != FORMAT:
            raise RecordError(f"{path} has format {form!r}, expected {FORMAT}: update ConeGrad")
        description = Description(
            name=read["name"],
            parents=tuple(read["parents"]),
            pattern=read["pattern"],
            seeds=tuple(read["seeds"]),
            command=read["command"],
            git_revision=read["git_revision"],
            bags=tuple(Bag(**bag) for bag in read["bags"]),
            metrics=read["metrics"],
            settings=settings,
            note=read["note"],
            created=read["created"],
        )
        stages = {name: StageEntry(**stage) for name, stage in read["stages"].items()}
        return SystemEntry(
            description, read["pipeline"], read["integration"], stages, read["conegrad_version"]
        )
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path} is not the description of a system: {error!r}") from error


def check_name(name: str, what: str) -> None:
    """Refuse a name that references cannot hold.

    Raises:
        RecordError: naming it and what was expected.
    """
    if not NAME.fullmatch(name):
        raise RecordError(f"the name of {what} is {name!r}, expected {NAME_FORM}")
