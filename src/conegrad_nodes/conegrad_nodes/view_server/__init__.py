"""What people see of a running graph or a training: a web page and Foxglove; needs no rclpy."""
