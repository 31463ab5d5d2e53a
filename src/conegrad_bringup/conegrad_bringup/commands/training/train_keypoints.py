"""Train the keypoint network alone, on cones of simulated images.

The images are rendered once and kept on disk; see 'Each network alone' in docs/training.md. A run
that was stopped goes on where it was.
"""

from conegrad_bringup.network_command import NetworkCommand
from conegrad_training.crops.keypoint_training import KeypointTrainingConfig, train_keypoints

COMMAND = NetworkCommand(KeypointTrainingConfig(), train_keypoints)
SETTINGS, add_arguments, run = COMMAND.settings, COMMAND.add_arguments, COMMAND.run
