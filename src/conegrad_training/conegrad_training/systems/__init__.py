"""The system that is trained, and its metrics."""
