"""ROS parameters: declared from the settings, read from files, checked by name and type."""
