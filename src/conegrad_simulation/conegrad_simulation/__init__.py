"""Simulated drives along tracks of cones, with exact truth."""
