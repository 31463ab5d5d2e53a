"""Perception of cones with camera and planar LiDAR, free of ROS and differentiable end to end."""
