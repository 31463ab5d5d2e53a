"""Let an alias of a system name the version that it was at before.

conegrad system rollback car
conegrad system rollback car --alias candidate
"""

import argparse
from dataclasses import dataclass

from conegrad_bringup.commands.system.store_options import StoreSettings, described
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_training.tracking.catalogue import CHAMPION, SystemCatalogue
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class RollbackSettings(StoreSettings):
    """Settings of the command itself."""

    alias: str = setting(CHAMPION, "Alias of a version")


SETTINGS = CommandSettings({"": RollbackSettings(), "tracking": TrackingConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", help="of the system")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Move the alias back."""
    settings = SETTINGS.read(options)
    own = settings[RollbackSettings]
    catalogue = SystemCatalogue(settings[TrackingConfig], own.opened())
    version = catalogue.roll_back(options.name, own.alias)
    print(f"{options.name}@{own.alias} is {described(version)}")
