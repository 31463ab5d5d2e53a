"""A camera and a LiDAR for a running graph."""

from ros_graph import Graph
from rosgraph_msgs.msg import Clock
from sensor_messages import camera_info_msg, image_msg, scan_msg
from sensor_msgs.msg import CameraInfo, Image, LaserScan


class Sensors:
    """Publishes an image and a scan at one stamp.

    Args:
        graph: whose peer publishes.
        namespace: of the topics, such as ``/car1``, or empty.
        is_simulated: time is that of a clock which runs on by a second with each image.
    """

    def __init__(self, graph: Graph, namespace: str = "", *, is_simulated: bool = False) -> None:
        self._now = graph.peer.get_clock().now
        self._is_simulated, self._second = is_simulated, 0
        self._clock = graph.publisher(Clock, "/clock")
        self._publishers = [
            (graph.publisher(msgtype, f"{namespace}/{topic}"), make)
            for msgtype, topic, make in (
                (CameraInfo, "camera_info", camera_info_msg),
                (LaserScan, "scan", scan_msg),
                (Image, "image_raw", image_msg),
            )
        ]

    def publish(self) -> None:
        """Publish one of each."""
        self._second += 1
        stamp = Clock().clock
        stamp.sec = self._second
        if self._is_simulated:
            self._clock.publish(Clock(clock=stamp))
        else:
            stamp = self._now().to_msg()
        for publisher, make in self._publishers:
            msg = make()
            msg.header.stamp = stamp
            publisher.publish(msg)
