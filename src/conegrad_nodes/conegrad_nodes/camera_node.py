"""Camera node: images in, cone detections and what else the image alone gives out."""

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from conegrad_core.camera.detector import Detector
from conegrad_core.camera.stage import DetectorStage
from conegrad_data.decode import stamp_ns_from_msg, usable_image
from conegrad_data.decode.serialized_image import SerializedImage, read_image
from conegrad_data.topics.topic_rules import is_rectified
from conegrad_nodes.node_base.hosted_part import HostedPart
from conegrad_nodes.node_base.image_in_flight import in_flight
from conegrad_nodes.node_base.qos import LATEST
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import CameraNodeConfig
from conegrad_nodes.parameters.pipeline_settings import known_to_nodes
from conegrad_nodes.pipeline_hosts import CAMERA_NODE, pipeline_hosts
from conegrad_nodes.port_messages.debug_image import debug_image
from conegrad_nodes.port_messages.image import IMAGE
from conegrad_nodes.port_messages.registry import port_message

UNKNOWN_SIZE = (640, 480)  # width and height of images for stages that do not tell [px]
WARM_UP_RUNS = 3


class CameraNode(SensorNode):
    """Publishes what the stages that only need the image make of the latest one.

    For the car that is the stage ``detector`` with the cone candidates.

    Subscribes: ``image_raw`` (sensor_msgs/Image) or ``image_raw/compressed``
    (sensor_msgs/CompressedImage).
    Publishes: each port that other stages read or that is a result, with the header of the image,
    such as ``detections`` (conegrad_msgs/ConeDetectionArray) and ``keypoints``
    (conegrad_msgs/PortTensors); ``~/debug_image`` (sensor_msgs/Image) while subscribed;
    ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds); ``/diagnostics``.
    Parameters: the fields of :class:`CameraNodeConfig`; the name of each stage and the fields of
    its settings, such as ``detector.`` and those of
    :class:`conegrad_core.camera.detector.DetectorConfig`.

    Raises:
        PipelineError: if the pipeline cannot be used, or has no such stage.
    """

    watched = "Image"

    def __init__(self, **node_options: Any) -> None:
        super().__init__(CAMERA_NODE, **node_options)
        self._config: CameraNodeConfig = declare_config(self, CameraNodeConfig)
        self._hosts = pipeline_hosts(self._config.pipeline)
        self.hosted = HostedPart(self._config.pipeline, self._hosts.camera, CAMERA_NODE)
        self.declare_stages()
        published = self._hosts.crossing(self._hosts.camera)
        self._published = {port: port_message(self._hosts.kinds[port]) for port in published}
        msgtype, topic = IMAGE.transports[self._config.image_transport]
        self.subscribe_to(msgtype, topic, read=read_raw_image if msgtype is Image else None)

    def known_parameters(self) -> list[str] | None:
        """Those of all nodes of the pipeline."""
        return known_to_nodes(self._config.pipeline)

    def load(self) -> None:
        """Load the stages and create the outputs."""
        super().load()
        images = self.resolve_topic_name("image_raw")
        if is_rectified(images):
            self.get_logger().info(
                f"{images} is rectified: the fusion needs calibration.images: rectified"
            )
        self.watch_domain(self._config.monitor)
        self.open_outputs(self._published)
        self._debug = self.create_lifecycle_publisher(IMAGE.msgtype, "~/debug_image", LATEST)

    def warm_up(self) -> None:
        """Run the stages on black images, then wait for real ones."""
        width, height = UNKNOWN_SIZE
        for detector in self._detectors():
            width, height = detector.config.input_width, detector.config.input_height
        black = np.zeros((height, width, 3), dtype=np.uint8)
        for _ in range(WARM_UP_RUNS):
            self.run_stages({"image": black})
        self.start_worker()

    def release(self) -> None:
        """Drop the stages and the outputs."""
        if self.hosted.is_loaded:
            super().release()
            self.destroy_lifecycle_publisher(self._debug)

    def process(self, arrived: Arrived) -> None:
        """Publish what the stages make of an image."""
        header = arrived.msg.header
        image, details, _ = IMAGE.received(usable_image(arrived.msg, self._detectors()))
        with in_flight(self.context):
            values = self.run_stages({"image": image})
        self.deliver(arrived, values, header, details)
        if self._debug.get_subscription_count() > 0:
            drawn = debug_image(image, values, self._published, self._hosts.kinds)
            self._debug.publish(IMAGE.encode(drawn, header, details))
        self._domain.observe(image, stamp_ns_from_msg(arrived.msg.header.stamp))

    def _detectors(self) -> list[Detector]:
        """Detectors of the stages: they know what images they can take."""
        return [stage.module for stage in self.hosted.stages() if isinstance(stage, DetectorStage)]


def read_raw_image(data: bytes) -> SerializedImage:
    """A serialized sensor_msgs/Image, whose pixels stay where they are.

    Raises:
        DecodeError: if it is cut short.
    """
    return read_image(data, _header)


def _header(seconds: int, nanoseconds: int, frame: str) -> Header:
    return Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=frame)


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes camera_node``."""
    run([CameraNode])
