"""Train the cone detector alone, on simulated frames or on labelled photographs (--images).

Photographs come with YOLO labels; see 'Each network alone' in docs/training.md. A run that was
stopped goes on where it was.
"""

from conegrad_bringup.network_command import NetworkCommand
from conegrad_training.supervised.camera_training import CameraTrainingConfig, train_camera

COMMAND = NetworkCommand(CameraTrainingConfig(), train_camera)
SETTINGS, add_arguments, run = COMMAND.settings, COMMAND.add_arguments, COMMAND.run
