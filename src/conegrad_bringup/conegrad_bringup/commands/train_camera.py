"""Train the cone detector alone, on simulated frames or on labelled photographs (--images).

Photographs come with YOLO labels; see 'Each network alone' in docs/training.md. A run that was
stopped goes on where it was.
"""

import argparse

from conegrad_core.settings.command_settings import CommandSettings
from conegrad_training.supervised.camera_training import CameraTrainingConfig, train_camera
from conegrad_training.tracking.tracking import TrackingConfig

SETTINGS = CommandSettings({"": CameraTrainingConfig(), "tracking": TrackingConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Train and print the metrics."""
    settings = SETTINGS.read(options)
    card = train_camera(settings[CameraTrainingConfig], settings[TrackingConfig])
    for name, value in card.items():
        print(f"{name}: {value}")
