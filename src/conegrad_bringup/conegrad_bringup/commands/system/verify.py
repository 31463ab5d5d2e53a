"""Compare every byte of recorded systems with their manifests, and their signatures with a key.

  conegrad system verify car@champion run/system car.zip
  conegrad system verify car/7 --key release_key.pub.pem
  conegrad system verify

Without a system all records of the store are verified. The exit code is 1 if a file differs, is
missing or is additional, or a signature does not fit; each is named.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from conegrad_bringup.commands.system.store_options import REFERENCE, KeySettings, recorded
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.archive import is_archive, unpack
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore

SETTINGS = CommandSettings({"": KeySettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=REFERENCE)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Verify each, print the result of each."""
    own = SETTINGS.read(options)[KeySettings]
    store = own.opened()
    systems = options.systems or [
        version.reference for name in store.names() for version in store.versions(name)
    ]
    code = 0
    for system in systems:
        try:
            print(_verified(system, own, store))
        except (RecordError, FileNotFoundError) as error:
            print(f"{system}: {error}")
            code = 1
    return code


def _verified(system: str, own: KeySettings, store: SystemStore) -> str:
    path = Path(system).expanduser()
    if path.is_file() and is_archive(path):  # verified without a place in the store
        with TemporaryDirectory() as folder:
            unpack(path, Path(folder) / "record")
            return _described(system, SystemRecord(Path(folder) / "record"), own)
    return _described(system, recorded(system, store), own)


def _described(system: str, record: SystemRecord, own: KeySettings) -> str:
    own.check(record.folder)
    signed = ", signed" if own.key else ""
    return (
        f"{system}: {record.name}, record {record.id}, {len(record.manifest.files)} files{signed}"
    )
