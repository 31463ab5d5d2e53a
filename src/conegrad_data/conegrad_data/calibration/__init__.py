"""Calibration of a vehicle: from camera_info and tf_static, a file, or a preset."""
