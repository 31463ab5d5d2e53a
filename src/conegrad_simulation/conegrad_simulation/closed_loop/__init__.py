"""Closed loop: a simulated car that drives on perceived cones."""
