"""Port type ``ConeColours`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_core.camera.image import RgbImage
from conegrad_core.drawing import draw_colours
from conegrad_core.pipeline.ports import CONE_COLOURS as KIND
from conegrad_nodes.port_messages.tensors import TensorsMessage


class ConeColoursMessage(TensorsMessage):
    """conegrad_msgs/PortTensors; colours are drawn at the boxes that they belong to."""

    def draw(
        self, image: RgbImage, value: Any, beside: Mapping[str, Any] | None = None
    ) -> RgbImage | None:
        """A bar in its colour below each box; None without detections."""
        detections = (beside or {}).get("Detections")
        return None if detections is None else draw_colours(image, value, detections)


CONE_COLOURS = ConeColoursMessage(KIND)
