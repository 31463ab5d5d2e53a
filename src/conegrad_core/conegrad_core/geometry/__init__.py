"""Frames, camera models and plane geometry."""
