"""Scenes: cones, obstacles and walls, and the domain parameters of their appearance."""
