"""Scenes: what stands around the car, and how the world looks."""
