"""Evaluation of recorded drives: metrics, matching to truth, reports."""
