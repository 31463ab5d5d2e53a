"""Thin ROS 2 nodes around the modules of conegrad_core."""
