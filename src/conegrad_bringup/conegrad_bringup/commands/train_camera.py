"""Train the cone detector on simulation; resumes where it was stopped."""

import argparse

from conegrad_bringup.options import add_config, read_config
from conegrad_training.camera_training import CameraTrainingConfig, train_camera


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config(parser, CameraTrainingConfig)


def run(options: argparse.Namespace) -> None:
    """Train and print the metrics."""
    for name, value in train_camera(read_config(options, CameraTrainingConfig)).items():
        print(f"{name}: {value}")
