"""Train the colour classifier alone, on cones of simulated images.

The images are rendered once and kept on disk; see 'Each network alone' in docs/training.md. A run
that was stopped goes on where it was.
"""

from conegrad_bringup.network_command import NetworkCommand
from conegrad_training.crops.colour_training import ColourTrainingConfig, train_colours

COMMAND = NetworkCommand(ColourTrainingConfig(), train_colours)
SETTINGS, add_arguments, run = COMMAND.settings, COMMAND.add_arguments, COMMAND.run
