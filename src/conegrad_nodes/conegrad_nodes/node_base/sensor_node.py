"""What nodes with stages on the data of sensors share: inputs, and a thread for the stages."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch

from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.monitoring.publisher_names import OwnTopic
from conegrad_nodes.node_base import intra_process
from conegrad_nodes.node_base.domain_watch import DomainWatch
from conegrad_nodes.node_base.hosted_part import HostedPart
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.perception_node import PerceptionNode
from conegrad_nodes.node_base.qos import RESULTS, input_qos
from conegrad_nodes.node_base.worker import Arrived, LatestWorker
from conegrad_nodes.parameters.declared_parameters import read_config
from conegrad_nodes.parameters.node_settings import SensorNodeConfig
from conegrad_nodes.port_messages.port_message import PortMessage


class SensorNode(PerceptionNode):
    """Runs stages of a pipeline on the latest message of its input.

    The stages have a thread of their own, so that other callbacks of the process are served
    meanwhile; a message that a newer one overtakes is dropped and counted. Settings of a stage are
    parameters with the name of the stage in front; they are read whenever the node is configured.

    Args:
        name: of the node.
        node_options: of rclpy.node.Node.

    Attributes:
        hosted: the stages.
        trainable: the stages are loaded with gradients.
        watched: kind of the port that the domain monitor looks at; empty: none.
    """

    trainable: ClassVar[bool] = False
    watched: ClassVar[str] = ""
    hosted: HostedPart
    _config: SensorNodeConfig

    def __init__(self, name: str, **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._worker: LatestWorker[Arrived] | None = None
        self._outputs: dict[str, tuple[PortMessage, Any]] = {}
        self._domain = DomainWatch("", self.watched)

    def subscribe_to(
        self,
        msgtype: Any,
        topic: str,
        handler: Callable[[Any, float], None] | None = None,
        read: Callable[[bytes], Any] | None = None,
    ) -> None:
        """Declare an input, with the settings of the node.

        Args:
            msgtype: message class.
            topic: relative name.
            handler: gets each message and the time of its arrival; None: the stages run on it.
            read: as of :class:`Input`.
        """
        config = self._config
        self.inputs.append(
            Input(
                self,
                msgtype,
                topic,
                handler or self.submit,
                input_qos(config.reliability, config.depth),
                read=read,
                timeout=config.input_timeout,
                stamp_tolerance=config.stamp_tolerance,
                watches_gaps=True,
            )
        )

    def declare_stages(self) -> None:
        """Declare the settings of the stages; their defaults are those of the pipeline file."""
        for name, defaults in self.hosted.default_configs().items():
            self.declare_loaded(type(defaults), name, defaults)

    def load(self) -> None:
        """Load the stages."""
        configs = {
            name: read_config(self, of_stage.config_class, name)
            for name, of_stage in self.hosted.classes.items()
        }
        self.hosted.load(configs, trainable=self.trainable)

    def watch_domain(self, monitor: str) -> None:
        """Let the domain monitor of a file look at the input; empty: none does."""
        self._domain = DomainWatch(monitor, self.watched)

    def open_outputs(self, messages: Mapping[str, PortMessage]) -> None:
        """Create a publisher for each port with its messages."""
        self._outputs = {
            port: (
                message,
                self.create_lifecycle_publisher(message.msgtype, message.topic(port), RESULTS),
            )
            for port, message in messages.items()
        }
        self.own_topics = [OwnTopic(self, out.topic_name) for _, out in self._outputs.values()]

    def release(self) -> None:
        """Drop the stages and the outputs."""
        self.hosted.release()
        for _, publisher in self._outputs.values():
            self.destroy_lifecycle_publisher(publisher)
        self._outputs = {}

    def run_stages(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the ports that the stages write, from those that they read from others."""
        with torch.inference_mode():
            return self.hosted(values)

    @abstractmethod
    def process(self, arrived: Arrived) -> None:
        """Run the stages on a message and publish; a DecodeError skips the message."""

    def deliver(
        self, arrived: Arrived, values: Mapping[str, Any], header: Any, details: Mapping[str, Any]
    ) -> None:
        """Publish the values of the outputs within the process, then their messages and times.

        Args:
            arrived: message that they were made of.
            values: of ports; what is None, or has no output, is not published.
            header: of the messages.
            details: of that message; what the domain monitor doubts is added.

        Raises:
            DecodeError: if a value is not fit for a message; nothing is published then.
        """
        if alarms := self._domain.alarms():
            details = {**details, "alarms": alarms}
        made = [
            (publisher, message.encode(values[port], header, details), values[port])
            for port, (message, publisher) in self._outputs.items()
            if values[port] is not None
        ]
        done = time.perf_counter()
        for publisher, msg, value in made:
            intra_process.publish(self.context, publisher.topic_name, msg, value)
        for publisher, msg, _ in made:
            publisher.publish(msg)
        self.latency.publish(arrived.arrival, header.stamp, done)

    @property
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""
        return self._config.autostart

    def start_worker(self) -> None:
        """Start the thread of the stages."""
        self._worker = LatestWorker(self._try_process, self.get_name())

    @property
    def provenance(self) -> Mapping[str, str]:
        """Pipeline, recorded system and weights."""
        return self.hosted.provenance

    def halt(self) -> None:
        """End the thread of the stages."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def check(self) -> list[PartStatus]:
        """How many messages were overtaken, and whether the input is unlike the training's.

        It raises what ended the thread of the stages.
        """
        if self._worker is None:
            return self._domain.status()
        self._worker.raise_failure()
        values = {"dropped": str(self._worker.dropped)}
        text = f"{self._worker.dropped} messages overtaken by newer ones"
        running = PartStatus(self.hosted.title, Level.OK, "running", text, values)
        return [running, *self._domain.status()]

    def submit(self, msg: Any, arrival: float) -> None:
        """Let the stages run on a message, in their thread."""
        if self._worker is not None:
            self._worker.submit(Arrived(msg, arrival))

    def _try_process(self, arrived: Arrived) -> None:
        with self.inputs[0].skipping():
            self.process(arrived)
