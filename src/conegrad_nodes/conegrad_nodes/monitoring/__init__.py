"""Diagnostics and heartbeats: what a node publishes about its own state."""
