"""Simulated drives, rendered and written as bags."""
