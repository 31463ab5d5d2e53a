"""Which component of a system costs how much: models, joining stage, calibration and time."""
