"""Tracking of runs in MLflow, and model cards."""
