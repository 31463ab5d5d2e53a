"""Command lines made from settings: each field is an option with its description and default."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from conegrad_core.settings import Config, SettingError

C = TypeVar("C", bound=Config)


def config_from_arguments(config_class: type[C], arguments: Sequence[str]) -> C:
    """Read ``--field-name VALUE`` options into a settings dataclass of plain values.

    Raises:
        SystemExit: for an unknown option or a value out of bounds, after a usage message.
    """
    parser = argparse.ArgumentParser(
        description=config_class.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for field in dataclasses.fields(config_class):
        option = "--" + field.name.replace("_", "-")
        described = field.metadata["description"].replace("%", "%%")
        parser.add_argument(option, type=type(field.default), default=field.default, help=described)
    values = vars(parser.parse_args(arguments))
    try:
        return config_class(**values)
    except SettingError as error:
        parser.error(error.by_option)
