"""Alignment of a cone map with the odometry of a drive."""
