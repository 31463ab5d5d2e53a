"""Port type ``Keypoints`` over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_core.camera.image import RgbImage
from conegrad_core.drawing import draw_keypoints
from conegrad_core.pipeline.ports import KEYPOINTS as KIND
from conegrad_nodes.port_messages.tensors import TensorsMessage


class KeypointsMessage(TensorsMessage):
    """conegrad_msgs/PortTensors; keypoints are drawn on their image."""

    def draw(
        self, image: RgbImage, value: Any, beside: Mapping[str, Any] | None = None
    ) -> RgbImage | None:
        """Keypoints with their deviations, of the cones that are drawn as boxes."""
        return draw_keypoints(image, value, (beside or {}).get("Detections"))


KEYPOINTS = KeypointsMessage(KIND)
