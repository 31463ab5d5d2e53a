"""Whether a cone stands or has fallen over, from the pictures that are cut out of the image."""
