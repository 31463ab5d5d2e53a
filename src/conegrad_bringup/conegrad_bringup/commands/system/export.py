"""Write a recorded system to one file, to be imported on another machine.

  conegrad system export car@champion -o car.zip
  conegrad system export car/7 -o car7.zip --sign release_key.pem

Equal records give equal files.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.commands.system.store_options import (
    REFERENCE,
    StoreSettings,
    kept_folder,
    recorded,
)
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.archive import pack
from conegrad_core.system_record.signature import sign


@dataclass(frozen=True)
class ExportSettings(StoreSettings):
    """Settings of the command itself."""

    sign: str = setting("", "Private key (PEM, Ed25519) to sign the record with")


SETTINGS = CommandSettings({"": ExportSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("system", help=REFERENCE)
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write, .zip")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Verify, sign, write."""
    own = SETTINGS.read(options)[ExportSettings]
    store = own.opened()
    record = recorded(options.system, store)
    folder = record.folder
    if own.sign:
        folder = kept_folder(store, record)
        sign(folder, Path(own.sign).expanduser())
    pack(folder, options.output)
    size = options.output.stat().st_size / 1e6
    print(f"{options.output}: {record.name}, record {record.id}, {size:.1f} MB")
