"""Disturbances: seeded faults of images, scans, calibration and stamps, applied to samples."""
