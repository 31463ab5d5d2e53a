"""Tells images and scans that are unlike those of the training, with a stated false-alarm rate."""
