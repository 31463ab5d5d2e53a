"""A small driver: cones and odometry in, a drive command out."""
