"""Commands that train one network alone: their settings and what they print."""

import argparse
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from conegrad_core.settings import Config
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_training.tracking.tracking import TrackingConfig

C = TypeVar("C", bound=Config)


class NetworkCommand(Generic[C]):
    """The command of one network.

    Args:
        config: default settings of the training.
        train: trains, and returns the card of the weights.
    """

    def __init__(self, config: C, train: Callable[[C, TrackingConfig], dict[str, Any]]) -> None:
        self.settings = CommandSettings({"": config, "tracking": TrackingConfig()})
        self._config_class, self._train = type(config), train

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        self.settings.add_to(parser)

    def run(self, options: argparse.Namespace) -> None:
        """Train and print the card."""
        settings = self.settings.read(options)
        card = self._train(settings[self._config_class], settings[TrackingConfig])
        for name, value in card.items():
            print(f"{name}: {value}")
