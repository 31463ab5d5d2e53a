"""Stamps: which are used, and which messages of several sensors belong together."""
