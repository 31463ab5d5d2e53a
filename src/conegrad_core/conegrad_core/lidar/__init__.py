"""From a planar scan or a point cloud to per-beam logits."""
