"""Recorded drives against truth: metrics, plots, pictures and the report."""
