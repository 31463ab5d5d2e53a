"""Supervised training of one network with labels of its own."""
