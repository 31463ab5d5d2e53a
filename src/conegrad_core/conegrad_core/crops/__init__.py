"""Pictures of single cones, cut out of the image around the boxes of a detector."""
