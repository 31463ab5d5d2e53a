"""Commands that measure how good a system is, and what costs it."""
