"""The planar LiDAR: ray casting, noise and random scans."""
