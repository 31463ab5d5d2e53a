"""Take a recorded system into the store: from an archive, or from the registry of MLflow.

  conegrad system import car.zip
  conegrad system import car@champion --tracking-uri http://pit:5000

An archive is verified and logged: it gets a version, also in the registry where tracking is on.
What comes from the registry keeps its version, and the alias by which it was asked for.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from conegrad_bringup.commands.system.store_options import KeySettings, described
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.archive import is_archive, unpack
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.location import VERSIONED
from conegrad_core.system_record.manifest import MANIFEST
from conegrad_core.system_record.store_index import Version
from conegrad_training.tracking.catalogue import SystemCatalogue
from conegrad_training.tracking.tracking import TrackingConfig

SETTINGS = CommandSettings({"": KeySettings(), "tracking": TrackingConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source", help="an archive, the folder of a record, or NAME@ALIAS or NAME/VERSION"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Verify, copy, print the version."""
    settings = SETTINGS.read(options)
    own = settings[KeySettings]
    catalogue = SystemCatalogue(settings[TrackingConfig], own.opened())
    path = Path(options.source).expanduser()
    if path.exists():
        version = _from_path(path, own, catalogue)
    else:
        version = _from_registry(options.source, own, catalogue)
    print(described(version))


def _from_path(path: Path, own: KeySettings, catalogue: SystemCatalogue) -> Version:
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise RecordError(f"{path} is not the folder of a record: it holds no {MANIFEST}")
        own.check(path)
        return catalogue.log(path)
    if not is_archive(path):
        raise RecordError(f"{path} is not the archive of a record")
    with TemporaryDirectory() as folder:
        unpack(path, Path(folder) / "record")
        own.check(Path(folder) / "record")
        return catalogue.log(Path(folder) / "record")


def _from_registry(source: str, own: KeySettings, catalogue: SystemCatalogue) -> Version:
    name, at, alias = source.partition("@")
    versioned = VERSIONED.fullmatch(source)
    if at:
        return catalogue.fetch(name, alias=alias, check=own.check)
    if versioned:
        return catalogue.fetch(versioned[1], int(versioned[2]), check=own.check)
    raise RecordError(
        f"{source} does not exist, expected an archive, a folder, NAME@ALIAS or NAME/VERSION"
    )
