"""Messages of the kinds of ports, found by the entry points of installed packages."""

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.registry import load_registered, registered, wrong_object
from conegrad_nodes.port_messages.port_message import PortMessage

PORT_MESSAGES = "conegrad.port_messages"
EXPECTED = "an object of conegrad_nodes.port_messages.port_message.PortMessage"


def port_message(kind: str) -> PortMessage:
    """How a kind of port travels over topics.

    Args:
        kind: name of the port type.

    Raises:
        PipelineError: if no package registers messages for it, two packages do, they cannot be
            imported, or they have no header.
    """
    if kind not in registered(PORT_MESSAGES):
        known = ", ".join(registered(PORT_MESSAGES))
        raise PipelineError(
            f"no messages are registered for the port type {kind!r} in the group {PORT_MESSAGES}, "
            f"expected one of {known}"
        )
    found = load_registered(PORT_MESSAGES, kind)
    if not isinstance(found, PortMessage):
        raise wrong_object(PORT_MESSAGES, kind, found, EXPECTED)
    if "header" not in found.msgtype.get_fields_and_field_types():
        name = f"{found.msgtype.__module__.partition('.')[0]}/{found.msgtype.__name__}"
        raise PipelineError(
            f"the port type {kind!r} travels as {name}, which has no header, expected a message "
            "with one: its stamp ties a result to its inputs"
        )
    return found
