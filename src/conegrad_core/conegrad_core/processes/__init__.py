"""Processes that compute for others, and how they are supervised and started again."""
