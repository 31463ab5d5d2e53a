"""Simulated tracks, camera images and planar scans with exact truth."""

import conegrad_core  # noqa: F401  (it finds modules under their former names)
