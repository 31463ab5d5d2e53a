"""Bags: recorded drives, read and written without a running ROS graph."""
