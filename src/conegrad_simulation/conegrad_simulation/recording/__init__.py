"""Recordings: planned drives, sensor messages and bags."""
