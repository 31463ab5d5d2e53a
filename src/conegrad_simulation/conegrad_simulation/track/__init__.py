"""Tracks: courses of the rules, random courses, and their curves."""
