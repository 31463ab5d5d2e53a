"""The training run: steps, optimizers, checkpoints, cost and progress."""
