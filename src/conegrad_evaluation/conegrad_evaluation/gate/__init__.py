"""The gate: whether a new system may replace the old one, and what has not been tested."""
