"""Recordings without a running ROS graph: bags, their messages, calibration, odometry and truth."""
