"""Disturbances of the evaluation on the sensors of a simulated car, from one time to another."""
