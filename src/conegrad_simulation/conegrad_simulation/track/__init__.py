"""Tracks: courses of the rules, random courses, maps in files, and curves."""
