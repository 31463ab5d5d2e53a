"""How good cones, detections and segmentations are: the one implementation of the metrics."""
