"""Clouds of simulated 3-D LiDARs: patterns, solids, terrain, ray casting and random scenes."""
