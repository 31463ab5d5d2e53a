"""Driver: drive commands from perceived cones and odometry."""
