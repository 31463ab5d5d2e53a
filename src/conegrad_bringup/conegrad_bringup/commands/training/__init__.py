"""Commands that train systems and single networks."""
