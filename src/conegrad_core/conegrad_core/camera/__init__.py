"""From an image to detections."""
