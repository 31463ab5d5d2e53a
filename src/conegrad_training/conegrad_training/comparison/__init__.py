"""Comparison of the training patterns: runs, results and the report."""
