"""Messages of the kinds of ports, found by the entry points of installed packages."""

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.port import TuplePort
from conegrad_core.pipeline.registry import load_object, port_type, registered
from conegrad_nodes.port_messages.port_message import PortMessage
from conegrad_nodes.port_messages.tensors import TensorsMessage

PORT_MESSAGES = "conegrad.port_messages"


def port_message(kind: str) -> PortMessage:
    """How a kind of port travels over topics.

    A port type that is a NamedTuple of tensors and for which no package registers messages travels
    as conegrad_msgs/PortTensors.

    Args:
        kind: name of the port type.

    Raises:
        PipelineError: if there is no such port type, no package registers messages for one of
            another container, two packages do, they cannot be imported, or they have no header.
    """
    if kind not in registered(PORT_MESSAGES):
        return _tensors_message(kind)
    found = load_object(PORT_MESSAGES, kind, PortMessage)  # type: ignore[type-abstract]
    if "header" not in found.msgtype.get_fields_and_field_types():
        name = f"{found.msgtype.__module__.partition('.')[0]}/{found.msgtype.__name__}"
        raise PipelineError(
            f"the port type {kind!r} travels as {name}, which has no header, expected a message "
            "with one: its stamp ties a result to its inputs"
        )
    return found


def _tensors_message(kind: str) -> TensorsMessage:
    """Messages of a port type that registers none."""
    found = port_type(kind)
    if isinstance(found, TuplePort):
        return TensorsMessage(found)
    known = ", ".join(registered(PORT_MESSAGES))
    raise PipelineError(
        f"no messages are registered for the port type {kind!r} in the group {PORT_MESSAGES}, "
        f"and it is no NamedTuple of tensors; expected one of {known}"
    )
