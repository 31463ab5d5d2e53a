"""Status of an input in words: what arrived, what is missing, and why."""
