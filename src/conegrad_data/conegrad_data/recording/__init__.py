"""One recorded drive: its index, pairs, calibration, odometry and truth."""
