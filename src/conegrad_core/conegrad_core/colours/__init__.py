"""Colour of single cones, from the pictures that are cut out of the image."""
