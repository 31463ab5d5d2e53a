"""Simulated tracks, camera images and planar scans with exact truth."""
