"""Supervised training of the networks over crops of single cones, on simulated images."""
