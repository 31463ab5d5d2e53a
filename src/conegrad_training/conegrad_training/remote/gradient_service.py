"""What a model node in training adds to the graph: gradients in, receipts and weights out."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from conegrad_msgs.msg import GradientReceipt, PortGradient
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_training.remote.gradient_exchange import GradientExchange, GradientRefusedError
from conegrad_training.remote.gradient_messages import gradient_topic, gradients_from_msg

GRADIENTS = QoSProfile(depth=100)  # reliable: a lost gradient costs a step
WROTE = "wrote "  # begins the answer of ~/save_weights; the path of the file follows
EXPIRE_PERIOD = 1.0  # [s] between two looks for overdue graphs


class GradientService:
    """Serves one model node.

    Subscribes: ``PORT/gradients`` (conegrad_msgs/PortGradient) of each port of its stage.
    Publishes: ``gradient_receipts`` (conegrad_msgs/GradientReceipt).
    Serves: ``~/save_weights`` (std_srvs/Trigger).
    """

    def __init__(
        self,
        node: Node,
        exchange: GradientExchange,
        stage: str,
        ports: Sequence[str],
        save: Callable[[], Path],
    ) -> None:
        """Join the graph.

        Args:
            node: of the model.
            exchange: of the model.
            stage: name of its stage in the pipeline.
            ports: that the stage writes.
            save: writes the weights; returns where, or raises OSError or ValueError.
        """
        self._node, self._exchange, self._stage, self._save = node, exchange, stage, save
        self._receipts = node.create_publisher(GradientReceipt, "gradient_receipts", GRADIENTS)
        self._gradients = [
            node.create_subscription(
                PortGradient, gradient_topic(port), self._on_gradient, GRADIENTS
            )
            for port in ports
        ]
        self._saving = node.create_service(Trigger, "~/save_weights", self._on_save)
        self._timer = node.create_timer(
            EXPIRE_PERIOD, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def close(self) -> None:
        """Leave the graph."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_service(self._saving)
        for subscription in self._gradients:
            self._node.destroy_subscription(subscription)
        self._node.destroy_publisher(self._receipts)

    def _on_gradient(self, msg: Any) -> None:
        receipt = GradientReceipt(
            header=msg.header,
            node=self._node.get_fully_qualified_name(),
            stage=self._stage,
            port=msg.port,
            step=msg.step,
        )
        try:
            receipt.stepped = self._exchange.apply(
                stamp_ns_from_msg(msg.header.stamp),
                msg.port,
                gradients_from_msg(msg),
                step=msg.step,
                parts=msg.parts,
                now=time.monotonic(),
            )
            receipt.accepted = True
        except (GradientRefusedError, DecodeError) as error:
            receipt.reason = str(error)
            self._node.get_logger().warning(str(error), throttle_duration_sec=1.0)
        self._receipts.publish(receipt)

    def _on_save(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            with self._exchange.lock:
                response.message = f"{WROTE}{Path(self._save()).absolute()}"
            response.success = True
        except (OSError, ValueError) as error:
            response.message = str(error)
        return response

    def _on_timer(self) -> None:
        count = self._exchange.expire(time.monotonic())
        if count:
            self._node.get_logger().warning(f"dropped {count} outputs that got no gradient in time")
