"""Flat pictures of obstacles that face the camera."""
