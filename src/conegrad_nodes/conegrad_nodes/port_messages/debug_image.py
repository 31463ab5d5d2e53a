"""The debug image: all that was made of an image, drawn on it."""

from collections.abc import Mapping
from typing import Any

from conegrad_core.camera.image import RgbImage
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.port_message import PortMessage


def can_draw(message: PortMessage) -> bool:
    """Whether values of a kind can be drawn on an image."""
    return type(message).draw is not PortMessage.draw and message is not IMAGE


def debug_image(
    image: RgbImage,
    values: Mapping[str, Any],
    messages: Mapping[str, PortMessage],
    kinds: Mapping[str, str],
) -> RgbImage:
    """The image with all values that can be drawn on it.

    Args:
        image: ``(height, width, 3)``.
        values: by port; None is left out.
        messages: of the ports that are drawn, in their order.
        kinds: of all ports.
    """
    beside = {kinds[port]: value for port, value in values.items() if value is not None}
    for port, message in messages.items():
        if values.get(port) is not None and can_draw(message):
            drawn = message.draw(image, values[port], beside)
            image = image if drawn is None else drawn
    return image
