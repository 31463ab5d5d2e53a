"""Camera node: images in, cone detections out."""

from typing import Any

import numpy as np
import torch
from conegrad_msgs.msg import ConeDetectionArray
from sensor_msgs.msg import CompressedImage, Image

from conegrad_core.camera.detector import Detector, DetectorConfig, load_detector
from conegrad_core.camera.image import Detections, RgbImage
from conegrad_core.drawing import draw_detections
from conegrad_data.decode import check_detections, image_for_detector
from conegrad_data.topics.topic_rules import is_rectified
from conegrad_nodes.encode import detections_to_msg, image_to_msg
from conegrad_nodes.node_base.qos import LATEST, RESULTS
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config, read_config
from conegrad_nodes.parameters.node_settings import CameraNodeConfig

TRANSPORTS: dict[str, tuple[Any, str]] = {
    "raw": (Image, "image_raw"),
    "compressed": (CompressedImage, "image_raw/compressed"),
}
WARM_UP_RUNS = 3


class CameraNode(SensorNode):
    """Publishes the cone candidates of the latest image.

    Subscribes: ``image_raw`` (sensor_msgs/Image) or ``image_raw/compressed``
    (sensor_msgs/CompressedImage).
    Publishes: ``detections`` (conegrad_msgs/ConeDetectionArray) with the header of the image;
    ``~/debug_image`` (sensor_msgs/Image) while subscribed; ``~/processing_latency``,
    ``~/pipeline_latency`` (std_msgs/Float64, seconds); ``/diagnostics``.
    Parameters: the fields of :class:`CameraNodeConfig`; ``detector.`` and the fields of
    :class:`conegrad_core.camera.detector.DetectorConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("camera_node", "detector", **node_options)
        self._config = declare_config(self, CameraNodeConfig)
        self._detector_config = self.declare_loaded(DetectorConfig, "detector")
        self._detector: Detector | None = None
        self.listen(*TRANSPORTS[self._config.image_transport])

    def detector_config(self) -> DetectorConfig:
        """The settings of the detector as they are now."""
        return read_config(self, DetectorConfig, "detector")

    def load(self) -> None:
        """Load the detector and create the outputs."""
        self._detector_config = self.detector_config()
        self._detector = load_detector(self._detector_config)
        images = self.resolve_topic_name("image_raw")
        if is_rectified(images):
            self.get_logger().info(
                f"{images} is rectified: the fusion needs calibration.images: rectified"
            )
        self._output = self.create_lifecycle_publisher(ConeDetectionArray, "detections", RESULTS)
        self._debug = self.create_lifecycle_publisher(Image, "~/debug_image", LATEST)

    def warm_up(self) -> None:
        """Run the detector on black images, then wait for real ones."""
        config = self._detector_config
        black = np.zeros((config.input_height, config.input_width, 3), dtype=np.uint8)
        for _ in range(WARM_UP_RUNS):
            self._detect(black)
        self.start_worker()

    def release(self) -> None:
        """Drop the detector and the outputs."""
        if self._detector is not None:
            self._detector = None
            self.destroy_lifecycle_publisher(self._output)
            self.destroy_lifecycle_publisher(self._debug)

    def process(self, arrived: Arrived) -> None:
        """Publish the detections of an image."""
        header = arrived.msg.header
        image = image_for_detector(arrived.msg, self._loaded())
        detections = self._detect(image)
        check_detections(detections)
        height, width = image.shape[:2]
        msg = detections_to_msg(detections, header, width, height)
        self.deliver(self._output, arrived, msg, detections)
        if self._debug.get_subscription_count() > 0:
            self._debug.publish(image_to_msg(draw_detections(image, detections), header))

    @torch.inference_mode()
    def _detect(self, image: RgbImage) -> Detections:
        return self._loaded()([image])[0]  # type: ignore[no-any-return]

    def _loaded(self) -> Detector:
        if self._detector is None:
            raise RuntimeError("the detector runs before it is loaded")
        return self._detector


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes camera_node``."""
    run([CameraNode])
