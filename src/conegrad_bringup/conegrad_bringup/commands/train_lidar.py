"""Train the scan segmenter alone, on simulated scans or on labelled recordings (--scans).

Recordings are .npz files; see 'Each network alone' in docs/training.md. A run that was stopped
goes on where it was.
"""

import argparse

from conegrad_core.settings.command_settings import CommandSettings
from conegrad_training.supervised.lidar_training import LidarTrainingConfig, train_lidar
from conegrad_training.tracking.tracking import TrackingConfig

SETTINGS = CommandSettings({"": LidarTrainingConfig(), "tracking": TrackingConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Train and print the metrics."""
    settings = SETTINGS.read(options)
    card = train_lidar(settings[LidarTrainingConfig], settings[TrackingConfig])
    for name, value in card.items():
        print(f"{name}: {value}")
