#!/usr/bin/env bash
# Run a program inside the environment of this workspace: scripts/run.sh PROGRAM [ARGUMENT...]
#
# ROS 2 traffic stays on this machine unless ROS_AUTOMATIC_DISCOVERY_RANGE says otherwise.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source scripts/env.sh
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
# Compile the modules of torch and scipy once, not in every process: 5 s each.
unset PYTHONDONTWRITEBYTECODE
rm -f "$venv_log"
exec "$@"
