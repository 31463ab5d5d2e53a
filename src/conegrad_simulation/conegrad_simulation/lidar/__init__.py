"""Planar LiDAR: ray casting, noise and random scans."""
