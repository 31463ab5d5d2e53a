"""Sweeps: the patterns and settings of a training that make the best system, searched by Optuna."""
