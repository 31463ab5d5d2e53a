"""Camera node: images in, cone detections out."""

from typing import Any, cast

import numpy as np

from conegrad_core.camera.detector import Detector, DetectorConfig
from conegrad_core.camera.stage import DetectorStage
from conegrad_core.pipeline.build import DEFAULT
from conegrad_data.decode import image_for_detector
from conegrad_data.topics.topic_rules import is_rectified
from conegrad_nodes.node_base.hosted_stage import HostedStage
from conegrad_nodes.node_base.qos import LATEST, RESULTS
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import CameraNodeConfig
from conegrad_nodes.port_messages.detections import DETECTIONS
from conegrad_nodes.port_messages.image import IMAGE

WARM_UP_RUNS = 3


class CameraNode(SensorNode):
    """Publishes the cone candidates of the latest image: the stage ``detector`` of the car.

    Subscribes: ``image_raw`` (sensor_msgs/Image) or ``image_raw/compressed``
    (sensor_msgs/CompressedImage).
    Publishes: ``detections`` (conegrad_msgs/ConeDetectionArray) with the header of the image;
    ``~/debug_image`` (sensor_msgs/Image) while subscribed; ``~/processing_latency``,
    ``~/pipeline_latency`` (std_msgs/Float64, seconds); ``/diagnostics``.
    Parameters: the fields of :class:`CameraNodeConfig`; ``detector.`` and the fields of
    :class:`conegrad_core.camera.detector.DetectorConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("camera_node", **node_options)
        self.hosted = HostedStage(DEFAULT, "detector")
        self._config: CameraNodeConfig = declare_config(self, CameraNodeConfig)
        self.declare_loaded(DetectorConfig, "detector")
        self.subscribe_to(*IMAGE.transports[self._config.image_transport])

    def load(self) -> None:
        """Load the detector and create the outputs."""
        super().load()
        images = self.resolve_topic_name("image_raw")
        if is_rectified(images):
            self.get_logger().info(
                f"{images} is rectified: the fusion needs calibration.images: rectified"
            )
        self._output = self.create_lifecycle_publisher(DETECTIONS.msgtype, "detections", RESULTS)
        self._debug = self.create_lifecycle_publisher(IMAGE.msgtype, "~/debug_image", LATEST)

    def warm_up(self) -> None:
        """Run the detector on black images, then wait for real ones."""
        config = self._detector().config
        black = np.zeros((config.input_height, config.input_width, 3), dtype=np.uint8)
        for _ in range(WARM_UP_RUNS):
            self.run_stage({"image": black})
        self.start_worker()

    def release(self) -> None:
        """Drop the detector and the outputs."""
        if self.hosted.is_loaded:
            self.hosted.release()
            self.destroy_lifecycle_publisher(self._output)
            self.destroy_lifecycle_publisher(self._debug)

    def process(self, arrived: Arrived) -> None:
        """Publish the detections of an image."""
        header = arrived.msg.header
        image, details, _ = IMAGE.received(image_for_detector(arrived.msg, self._detector()))
        detections = self.run_stage({"image": image})["detections"]
        msg = DETECTIONS.encode(detections, header, details)
        self.deliver(self._output, arrived, msg, detections)
        if self._debug.get_subscription_count() > 0:
            self._debug.publish(IMAGE.encode(DETECTIONS.draw(image, detections), header, details))

    def _detector(self) -> Detector:
        """The detector of the stage, which knows what images it can take."""
        return cast(DetectorStage, self.hosted.stage).module


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes camera_node``."""
    run([CameraNode])
