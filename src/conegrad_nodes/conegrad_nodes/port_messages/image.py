"""Port type ``Image`` over topics."""

from collections.abc import Mapping
from typing import Any

from sensor_msgs.msg import CompressedImage, Image

from conegrad_core.camera.image import RgbImage
from conegrad_data.decode import image_from_msg
from conegrad_nodes.encode import image_to_msg
from conegrad_nodes.port_messages.port_message import PortMessage, Received


class ImageMessage(PortMessage):
    """sensor_msgs/Image on ``image_raw``, or ``NAME/image_raw`` of a port that is not ``image``.

    Detail: ``image_size``, width and height [px].

    Attributes:
        transports: message class and topic of the port ``image`` by name of the transport.
    """

    msgtype = Image
    transports: Mapping[str, tuple[Any, str]] = {
        "raw": (Image, "image_raw"),
        "compressed": (CompressedImage, "image_raw/compressed"),
    }

    def topic(self, port: str) -> str:
        """As camera drivers name it."""
        return "image_raw" if port == "image" else f"{port}/image_raw"

    def decode(self, msg: Any) -> Received:
        """RGB image of a raw or compressed message."""
        return self.received(image_from_msg(msg))

    def received(self, image: RgbImage) -> Received:
        """An image that is decoded already, with its details."""
        return Received(image, {"image_size": (image.shape[1], image.shape[0])})

    def encode(self, value: Any, header: Any, details: Mapping[str, Any]) -> Any:
        """sensor_msgs/Image, rgb8."""
        return image_to_msg(value, header)

    def draw(
        self, image: RgbImage, value: Any, beside: Mapping[str, Any] | None = None
    ) -> RgbImage | None:
        """The image itself."""
        return value.copy()  # type: ignore[no-any-return]


IMAGE = ImageMessage()
