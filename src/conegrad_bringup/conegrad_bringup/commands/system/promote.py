"""Give a version of a system an alias: it becomes the champion, or what --alias says.

  conegrad system promote car/7
  conegrad system promote car@candidate
  conegrad system promote car/8 --alias candidate

Nodes that take system:=car@champion run it from their next start on. The alias moves in the store
and in the registry of MLflow.
"""

import argparse
from dataclasses import dataclass

from conegrad_bringup.commands.system.store_options import KeySettings, described, version_of
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.reference import resolve
from conegrad_training.tracking.catalogue import CHAMPION, SystemCatalogue
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class PromoteSettings(KeySettings):
    """Settings of the command itself."""

    alias: str = setting(CHAMPION, "Alias of a version")


SETTINGS = CommandSettings({"": PromoteSettings(), "tracking": TrackingConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("system", help="NAME/VERSION or NAME@ALIAS")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Verify the record, and let the alias name it."""
    settings = SETTINGS.read(options)
    own = settings[PromoteSettings]
    store = own.opened()
    version = version_of(options.system, store)
    record = resolve(version.reference, store)
    if record is not None:
        own.check(record.folder)
    SystemCatalogue(settings[TrackingConfig], store).set_alias(
        version.name, own.alias, version.number
    )
    print(f"{version.name}@{own.alias} is {described(version)}")
