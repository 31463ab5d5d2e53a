"""Cone converter: the cones once more, as the messages of another stack."""

from typing import Any

from conegrad_msgs.msg import ConeArray

from conegrad_nodes.encode.other_stacks import FORMATS
from conegrad_nodes.monitoring.publisher_names import OwnTopic
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.perception_node import PerceptionNode
from conegrad_nodes.node_base.qos import RESULTS, input_qos
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import ConeConverterConfig
from conegrad_nodes.parameters.parameter_names import known_names, names_of


class ConeConverter(PerceptionNode):
    """Publishes cones as messages of another stack, in the frame and at the stamp that they have.

    Subscribes: ``cones`` (conegrad_msgs/ConeArray).
    Publishes: ``cones_eufs`` (eufs_msgs/ConeArrayWithCovariance), ``cones_fs`` (fs_msgs/Track) or
    ``cones_vision`` (vision_msgs/Detection3DArray), as the parameter ``format`` says;
    ``/diagnostics``. Where the package of the messages is not installed it does not configure, and
    says which.
    Parameters: the fields of :class:`ConeConverterConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("cone_converter", **node_options)
        self._config = declare_config(self, ConeConverterConfig)
        self._format = FORMATS[self._config.format]
        self._messages: Any = None
        config = self._config
        self.inputs = [
            Input(
                self,
                ConeArray,
                "cones",
                self._on_cones,
                input_qos(config.reliability, config.depth),
                timeout=config.input_timeout,
                stamp_tolerance=config.stamp_tolerance,
            )
        ]

    @property
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""
        return self._config.autostart

    def known_parameters(self) -> list[str]:
        """Its own, and those of the nodes that may share its section."""
        return [*known_names(), *names_of([("", ConeConverterConfig)])]

    def load(self) -> None:
        """Import the messages.

        Raises:
            ImportError: naming the package that is missing.
        """
        self._messages = self._format.messages()
        msgtype = getattr(self._messages, self._format.name)
        topic = f"cones_{self._config.format}"
        self._publisher = self.create_lifecycle_publisher(msgtype, topic, RESULTS)
        self.own_topics = [OwnTopic(self, self._publisher.topic_name)]

    def warm_up(self) -> None:
        """Nothing to do."""

    def release(self) -> None:
        """Drop the output."""
        if self._messages is not None:
            self._messages = None
            self.destroy_lifecycle_publisher(self._publisher)

    def _on_cones(self, msg: ConeArray, arrival: float) -> None:
        msg.cones = [cone for cone in msg.cones if cone.existence >= self._config.min_existence]
        self._publisher.publish(self._format.convert(msg, self._messages))
        self.latency.publish(arrival, msg.header.stamp)


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes cone_converter``."""
    run([ConeConverter])
