"""Metrics of cones, detections and segmented scans against their truth."""
