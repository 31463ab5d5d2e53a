"""Scenes, cars and cones for the Gazebo simulator (Harmonic), made from the same presets."""
