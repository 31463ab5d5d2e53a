"""Train the scan segmenter alone, on simulated scans or on labelled recordings (--scans).

Recordings are .npz files; see 'Each network alone' in docs/training.md. A run that was stopped
goes on where it was.
"""

from conegrad_bringup.network_command import NetworkCommand
from conegrad_training.supervised.lidar_training import LidarTrainingConfig, train_lidar

COMMAND = NetworkCommand(LidarTrainingConfig(), train_lidar)
SETTINGS, add_arguments, run = COMMAND.settings, COMMAND.add_arguments, COMMAND.run
