"""What ROS messages know of one kind of port."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from conegrad_core.camera.image import RgbImage


class Received(NamedTuple):
    """A decoded message.

    Attributes:
        value: of the container of the port type.
        details: what the message holds beyond the value, by name, such as ``image_size``; the
            messages that are made of the value may repeat it.
        warnings: what is probably wrong with the message, though it can be used.
    """

    value: Any
    details: Mapping[str, Any] = {}
    warnings: tuple[str, ...] = ()


class PortMessage(ABC):
    """Messages of a kind, registered by entry point in the group ``conegrad.port_messages``.

    The entry point has the name of the port type.

    Attributes:
        msgtype: message class; it has a header, whose stamp ties a result to its inputs.
    """

    msgtype: Any

    def topic(self, port: str) -> str:
        """Relative name of the topic of a port; that of the port by default."""
        return port

    def details(self, msg: Any) -> Mapping[str, Any]:
        """What a message holds beyond its value; nothing by default."""
        return {}

    def check(self, value: Any) -> None:  # noqa: B027
        """Refuse a value that would spoil what is made of it, though its shapes are right.

        Raises:
            DecodeError: naming what was found.
        """

    @abstractmethod
    def decode(self, msg: Any) -> Received:
        """Value of a message.

        Raises:
            DecodeError: if the message cannot be used.
        """

    @abstractmethod
    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """Message of a value.

        Args:
            value: of the container of the port type.
            header: of the message from which the value was made.
            details: of all messages from which the value was made.

        Raises:
            DecodeError: if the value or the details are not fit for a message.
        """

    def draw(
        self, image: RgbImage, value: Any, beside: Mapping[str, Any] | None = None
    ) -> RgbImage | None:
        """A copy of the camera image with the value drawn on it; None where there is no way.

        Args:
            image: of the camera.
            value: of the container of the port type.
            beside: values of other ports that were made of the same image, by kind.
        """
        return None


def detail(details: Mapping[str, Any], name: str, expected: str) -> Any:
    """A detail that a message needs.

    Raises:
        ValueError: if it is not there.
    """
    if name not in details:
        known = ", ".join(details) or "none"
        raise ValueError(f"the inputs have no {name} ({expected}), expected it among: {known}")
    return details[name]
