"""Environment of what launch files start: room for large messages, and which machines it meets."""

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext
from launch.actions import SetEnvironmentVariable, UnsetEnvironmentVariable
from launch.logging import get_logger

from conegrad_nodes.middleware.domain import OUTWARD, RANGE
from conegrad_nodes.middleware.transport import VARIABLES, is_chosen, users_fault

PROFILE = "config/fastdds_large_messages.xml"


def large_messages(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Let processes send raw images; a profile that the user has set stays in force.

    Its fault is logged if it leaves too little room.
    """
    fault = users_fault()
    if fault:
        get_logger("large_messages").warning(fault)
    if fault or is_chosen(context.environment):
        return []
    path = str(get_package_share_path("conegrad_bringup") / PROFILE)
    return [SetEnvironmentVariable(name, path) for name in VARIABLES]


def on_this_machine(
    context: LaunchContext,
) -> list[SetEnvironmentVariable | UnsetEnvironmentVariable]:
    """Keep processes from meeting others on other machines."""
    set_here = [name for name in OUTWARD if name in context.environment]
    return [
        SetEnvironmentVariable(RANGE, "LOCALHOST"),
        *(UnsetEnvironmentVariable(name) for name in set_here),
    ]
