"""Quality of service of the topics."""

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

RELIABILITIES = {
    "best_effort": ReliabilityPolicy.BEST_EFFORT,
    "reliable": ReliabilityPolicy.RELIABLE,
}
# A slow network drops old messages instead of lagging.
LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# Outputs are reliable, so that subscriptions of both kinds match.
RESULTS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
# As tf2 publishes tf_static: late subscribers get what was said before.
LATCHED = QoSProfile(
    depth=100,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def input_qos(reliability: str, depth: int) -> QoSProfile:
    """Profile of an input.

    Raises:
        ValueError: if there is no such reliability.
    """
    if reliability not in RELIABILITIES:
        expected = ", ".join(RELIABILITIES)
        raise ValueError(f"reliability is {reliability!r}, expected one of {expected}")
    return QoSProfile(depth=depth, reliability=RELIABILITIES[reliability])
