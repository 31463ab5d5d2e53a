"""Train the cone detector alone, on simulated frames or on labelled photographs (--images).

Photographs come with YOLO labels; see 'Each network alone' in docs/training.md. A run that was
stopped goes on where it was.
"""

import argparse

from conegrad_bringup.options import add_config, read_config
from conegrad_training.supervised.camera_training import CameraTrainingConfig, train_camera


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config(parser, CameraTrainingConfig)


def run(options: argparse.Namespace) -> None:
    """Train and print the metrics."""
    for name, value in train_camera(read_config(options, CameraTrainingConfig)).items():
        print(f"{name}: {value}")
