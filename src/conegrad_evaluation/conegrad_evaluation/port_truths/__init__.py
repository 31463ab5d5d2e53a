"""What a perfect stage would write to a port, made from the true cones of a frame."""
