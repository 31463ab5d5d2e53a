"""Points of a cone in the image, and the position on the ground that follows from them."""
