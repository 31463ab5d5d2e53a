"""Thin ROS 2 nodes around the modules of conegrad_core."""

import conegrad_core  # noqa: F401  (it finds modules under their former names)
