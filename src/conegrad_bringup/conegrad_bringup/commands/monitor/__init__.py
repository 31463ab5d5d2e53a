"""``conegrad monitor``: frames unlike those of the training."""
