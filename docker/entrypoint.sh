#!/bin/bash
# Run a command with ROS and the workspace of the image on its paths.
set -e
source /opt/ros/jazzy/setup.bash
source /opt/conegrad/install/setup.bash
exec "$@"
