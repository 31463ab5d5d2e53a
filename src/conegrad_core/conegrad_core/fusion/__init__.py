"""From detections and a segmented scan to cones on the ground."""
