"""Environment of what launch files start: room for large messages, and which machines it meets."""

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext
from launch.actions import SetEnvironmentVariable, UnsetEnvironmentVariable
from launch.logging import get_logger
from launch.substitutions import LaunchConfiguration

from conegrad_nodes.middleware.domain import OUTWARD, RANGE, is_range_chosen
from conegrad_nodes.middleware.transport import VARIABLES, is_chosen, users_fault
from conegrad_nodes.playback.this_machine import check_discovery

LOCALHOST_ONLY = "ROS_LOCALHOST_ONLY"  # where it is set, ROS ignores the range
PROFILE = "config/fastdds_large_messages.xml"
Environment = list[SetEnvironmentVariable | UnsetEnvironmentVariable]


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


def network(context: LaunchContext) -> Environment:
    """Which machines the processes meet, as the argument ``network`` says.

    Empty: as the environment says; this machine alone where it says nothing. Whoever is met can
    send messages and change the state of nodes.

    Raises:
        GraphError: if other machines are asked for and the environment forbids all of them.
    """
    given = LaunchConfiguration("network").perform(context)
    if given == "true":
        check_discovery()
        return _beyond_this_machine(context)
    if not given:
        if is_range_chosen(context.environment):
            return []
        get_logger("network").info(
            f"only processes of this machine are met: network:=true or {RANGE} changes that"
        )
    return on_this_machine(context)


def _beyond_this_machine(context: LaunchContext) -> Environment:
    """Reach the machines that the environment names, those of the network where it names none."""
    chosen = {name: context.environment.get(name, "") for name in (RANGE, LOCALHOST_ONLY)}
    actions: Environment = []
    if chosen[LOCALHOST_ONLY]:
        actions.append(UnsetEnvironmentVariable(LOCALHOST_ONLY))
    if chosen[RANGE].upper() == "LOCALHOST" or not is_range_chosen(context.environment):
        actions.append(SetEnvironmentVariable(RANGE, "SUBNET"))
    return actions


def on_this_machine(context: LaunchContext) -> Environment:
    """Keep processes from meeting others on other machines."""
    set_here = [name for name in OUTWARD if name in context.environment]
    return [
        SetEnvironmentVariable(RANGE, "LOCALHOST"),
        *(UnsetEnvironmentVariable(name) for name in set_here),
    ]


def enclave(process: str) -> list[str]:
    """Arguments that give a process the enclave with its name in ``config/security/policy.xml``.

    Without effect unless ``ROS_SECURITY_ENABLE`` is true.
    """
    return ["--enclave", f"/conegrad/{process}"]
