"""Exposure of images, and scores of detections that depend on it: a package beside ConeGrad.

The entry points in pyproject.toml register its stages and its kind of port under the names that
pipeline files use. No file of ConeGrad changes.
"""
