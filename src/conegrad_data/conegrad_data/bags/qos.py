"""Quality of service of recorded topics: what their publishers offered, and that of our own."""

from typing import Any

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2.errors import ReaderError
from rosbags.rosbag2.metadata import parse_qos

LATCHED = "/tf_static"  # ends the names of topics that late subscribers must receive, too
FOREVER = QosTime(9223372036, 854775807)  # as rosbag2 writes it


def offered_qos(profiles: Any) -> list[Qos]:
    """Profiles of a topic, none where a person has left something that is not of their form.

    Args:
        profiles: YAML text, or what was read from it.
    """
    try:
        return list(parse_qos(profiles))
    except (ReaderError, KeyError, TypeError, AttributeError):
        return []


def usual_qos(topic: str) -> list[Qos]:
    """Profiles that a topic of ours has: ``ros2 bag play`` must latch ``tf_static``."""
    return [_latched()] if f"/{topic}".endswith(LATCHED) else []


def _latched() -> Qos:
    return Qos(
        QosHistory.KEEP_LAST,
        1,
        QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL,
        FOREVER,
        FOREVER,
        QosLiveliness.AUTOMATIC,
        FOREVER,
        False,
    )
