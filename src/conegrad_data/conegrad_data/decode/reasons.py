"""Why cones are degraded, and what a node doubts about its input, from their messages."""

from typing import Any

from conegrad_core.consistency.reason import Reason, read_reason
from conegrad_data.decode.errors import from_content

UNSPECIFIED = Reason("unspecified", "the message says degraded and gives no reason")


@from_content
def reasons_from_msg(msg: Any) -> tuple[Reason, ...]:
    """Reasons of a conegrad_msgs/ConeArray; empty if its cones are not degraded.

    Recordings made before the message had them have none.
    """
    if not getattr(msg, "degraded", False):
        return ()
    return tuple(read_reason(text) for text in msg.reasons) or (UNSPECIFIED,)


@from_content
def alarms_from_msg(msg: Any) -> tuple[Reason, ...]:
    """What a node doubts about its input, of a ConeDetectionArray or a ScanSegmentation.

    Recordings made before the messages had it have nothing.
    """
    return tuple(read_reason(text) for text in getattr(msg, "alarms", ()))
