"""What nodes with a stage on the data of sensors share: inputs, and a thread for the stage."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch

from conegrad_core.settings import Config
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base import intra_process
from conegrad_nodes.node_base.hosted_stage import HostedStage
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.perception_node import PerceptionNode
from conegrad_nodes.node_base.qos import input_qos
from conegrad_nodes.node_base.worker import Arrived, LatestWorker
from conegrad_nodes.parameters.declared_parameters import read_config
from conegrad_nodes.parameters.node_settings import SensorNodeConfig


class SensorNode(PerceptionNode):
    """Runs a stage of a pipeline on the latest message of its input.

    The stage has a thread of its own, so that other callbacks of the process are served
    meanwhile; a message that a newer one overtakes is dropped and counted. Its settings are
    parameters with the name of the stage in front; they are read whenever the node is configured.

    Args:
        name: of the node.
        node_options: of rclpy.node.Node.

    Attributes:
        hosted: the stage.
        trainable: the stage is loaded with gradients.
    """

    trainable: ClassVar[bool] = False
    hosted: HostedStage
    _config: SensorNodeConfig

    def __init__(self, name: str, **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._worker: LatestWorker[Arrived] | None = None

    def subscribe_to(
        self, msgtype: Any, topic: str, handler: Callable[[Any, float], None] | None = None
    ) -> None:
        """Declare an input, with the settings of the node.

        Args:
            msgtype: message class.
            topic: relative name.
            handler: gets each message and the time of its arrival; None: the stage runs on it.
        """
        config = self._config
        self.inputs.append(
            Input(
                self,
                msgtype,
                topic,
                handler or self.submit,
                input_qos(config.reliability, config.depth),
                timeout=config.input_timeout,
                stamp_tolerance=config.stamp_tolerance,
                watches_gaps=True,
            )
        )

    def stage_config(self) -> Config:
        """The settings of the stage as the parameters are now."""
        return read_config(self, self.hosted.stage_class.config_class, self.hosted.name)

    def load(self) -> None:
        """Load the stage."""
        self.hosted.load(self.stage_config(), trainable=self.trainable)

    def run_stage(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the ports that the stage writes, from those that it reads."""
        with torch.inference_mode():
            return self.hosted(values)

    @abstractmethod
    def process(self, arrived: Arrived) -> None:
        """Run the stage on a message and publish; a DecodeError skips the message."""

    def deliver(self, publisher: Any, arrived: Arrived, msg: Any, result: Any) -> None:
        """Publish a result within the process, then its message and times."""
        done = time.perf_counter()
        intra_process.publish(self.context, publisher.topic_name, msg, result)
        publisher.publish(msg)
        self.latency.publish(arrived.arrival, msg.header.stamp, done)

    @property
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""
        return self._config.autostart

    def start_worker(self) -> None:
        """Start the thread of the stage."""
        self._worker = LatestWorker(self._try_process, self.get_name())

    def halt(self) -> None:
        """End the thread of the stage."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def check(self) -> list[PartStatus]:
        """How many messages were overtaken; raises what ended the thread of the stage."""
        if self._worker is None:
            return []
        self._worker.raise_failure()
        values = {"dropped": str(self._worker.dropped)}
        text = f"{self._worker.dropped} messages overtaken by newer ones"
        return [PartStatus(self.hosted.name, Level.OK, "running", text, values)]

    def submit(self, msg: Any, arrival: float) -> None:
        """Let the stage run on a message, in its thread."""
        if self._worker is not None:
            self._worker.submit(Arrived(msg, arrival))

    def _try_process(self, arrived: Arrived) -> None:
        with self.inputs[0].skipping():
            self.process(arrived)
