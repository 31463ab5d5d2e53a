"""Exported systems against their originals: speed, cones and boxes on the same frames."""
