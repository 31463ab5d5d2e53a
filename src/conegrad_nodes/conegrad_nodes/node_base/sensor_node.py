"""What the camera and the LiDAR node share: one input, and a model in a thread of its own."""

import time
from abc import abstractmethod
from typing import Any

from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.intra_process import hand_over
from conegrad_nodes.node_base.perception_node import PerceptionNode
from conegrad_nodes.node_base.qos import input_qos
from conegrad_nodes.node_base.worker import Arrived, LatestWorker
from conegrad_nodes.parameters.node_settings import SensorNodeConfig


class SensorNode(PerceptionNode):
    """Runs a model on the latest message of one input.

    The model has a thread of its own, so that other callbacks of the process are served
    meanwhile; a message that a newer one overtakes is dropped and counted.

    Args:
        name: of the node.
        model: what runs, as the diagnostics call it.
        node_options: of rclpy.node.Node.
    """

    _config: SensorNodeConfig

    def __init__(self, name: str, model: str, **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self._model = model
        self._worker: LatestWorker[Arrived] | None = None

    def listen(self, msgtype: Any, topic: str) -> None:
        """Declare the input, with the settings of the node."""
        config = self._config
        self._input = Input(
            self,
            msgtype,
            topic,
            self._on_message,
            input_qos(config.reliability, config.depth),
            timeout=config.input_timeout,
            stamp_tolerance=config.stamp_tolerance,
            watches_gaps=True,
        )
        self.inputs = [self._input]

    @abstractmethod
    def process(self, arrived: Arrived) -> None:
        """Run the model on a message and publish; a DecodeError skips the message."""

    def deliver(self, publisher: Any, arrived: Arrived, msg: Any, result: Any) -> None:
        """Hand a result over to the nodes of this process, then publish its message and times."""
        done = time.perf_counter()
        hand_over(self.context, publisher.topic_name, msg, result)
        publisher.publish(msg)
        self.latency.publish(arrived.arrival, msg.header.stamp, done)

    @property
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""
        return self._config.autostart

    def start_worker(self) -> None:
        """Start the thread of the model."""
        self._worker = LatestWorker(self._try_process, self.get_name())

    def halt(self) -> None:
        """End the thread of the model."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def check(self) -> list[PartStatus]:
        """How many messages were overtaken; raises what ended the thread of the model."""
        if self._worker is None:
            return []
        self._worker.raise_failure()
        values = {"dropped": str(self._worker.dropped)}
        text = f"{self._worker.dropped} messages overtaken by newer ones"
        return [PartStatus(self._model, Level.OK, "running", text, values)]

    def _on_message(self, msg: Any, arrival: float) -> None:
        if self._worker is not None:
            self._worker.submit(Arrived(msg, arrival))

    def _try_process(self, arrived: Arrived) -> None:
        with self._input.skipping():
            self.process(arrived)
