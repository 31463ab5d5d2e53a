"""Examines an installation and a running graph: what is wrong, and what helps."""
