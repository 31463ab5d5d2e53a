"""Coverage of conditions: which combinations a set of recordings shows."""
