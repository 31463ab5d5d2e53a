"""A system of stages on samples: the values of its ports, and their metrics."""
