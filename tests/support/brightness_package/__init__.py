"""A package of a user: a stage that learns, its port type, and its message."""
