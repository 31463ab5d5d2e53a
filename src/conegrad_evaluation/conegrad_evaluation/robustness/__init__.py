"""Robustness: how much of its F1 a system keeps under each disturbance."""
