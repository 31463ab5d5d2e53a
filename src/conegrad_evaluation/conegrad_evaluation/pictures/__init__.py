"""The detector on pictures alone: no recording, no calibration file."""
