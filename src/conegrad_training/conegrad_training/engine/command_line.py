"""Command lines of programs with one group of settings."""

import argparse
from collections.abc import Sequence
from typing import TypeVar

from conegrad_core.settings import Config
from conegrad_core.settings.command_settings import CommandSettings

C = TypeVar("C", bound=Config)


def config_from_arguments(config_class: type[C], arguments: Sequence[str]) -> C:
    """Read options into settings.

    Raises:
        SystemExit: for an unknown option or a value that is refused, after a usage message.
    """
    parser = argparse.ArgumentParser(description=config_class.__doc__)
    settings = CommandSettings({"": config_class()})
    settings.add_to(parser)
    try:
        return settings.read(parser.parse_args(arguments))[config_class]
    except (ValueError, OSError) as error:
        parser.error(str(error))
