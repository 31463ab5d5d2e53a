"""Attacks: changes of images and scans within a budget that raise the end loss of a system."""
