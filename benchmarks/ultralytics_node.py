"""One rclpy node around a plain Ultralytics call: what a team writes first.

Subscribes: ``image_raw`` (sensor_msgs/Image, rgb8). Publishes: ``detections``
(conegrad_msgs/ConeDetectionArray) with the boxes of ``YOLO.predict``. Parameter ``model``: a .pt
file. It stands in for yolo_ros where that is not installed: the same library called in the same
way, behind a node that does nothing else.
"""

from typing import Any

import numpy as np
import rclpy
from conegrad_msgs.msg import ConeDetection, ConeDetectionArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from ultralytics import YOLO

INPUT_SIZE = (384, 640)  # height and width of the network's input, as ConeGrad has it [px]


class UltralyticsNode(Node):
    """Publishes the boxes of each image."""

    def __init__(self) -> None:
        super().__init__("ultralytics_node")
        self._model = YOLO(self.declare_parameter("model", "").value)
        self._publisher = self.create_publisher(ConeDetectionArray, "detections", 10)
        for _ in range(3):
            self._predict(np.zeros((720, 1280, 3), dtype=np.uint8))
        self.create_subscription(Image, "image_raw", self._on_image, 1)

    def _predict(self, image: Any) -> Any:
        return self._model.predict(image, imgsz=INPUT_SIZE, device="cpu", verbose=False)[0].boxes

    def _on_image(self, msg: Image) -> None:
        pixels = np.frombuffer(msg.data, dtype=np.uint8).reshape(msg.height, msg.width, 3)
        boxes = self._predict(np.ascontiguousarray(pixels[..., ::-1]))  # it takes BGR
        self._publisher.publish(
            ConeDetectionArray(
                header=msg.header,
                image_width=msg.width,
                image_height=msg.height,
                detections=[
                    ConeDetection(center_u=u, center_v=v, width=w, height=h, score=score)
                    for (u, v, w, h), score in zip(
                        boxes.xywh.tolist(), boxes.conf.tolist(), strict=True
                    )
                ],
            )
        )


def main() -> None:
    """Run the node."""
    rclpy.init()
    rclpy.spin(UltralyticsNode())


if __name__ == "__main__":
    main()
