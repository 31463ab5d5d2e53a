"""The training node: an action that trains on bags."""
