"""The trainer's side of gradients over topics: samples out, outputs in, gradients out."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from conegrad_msgs.msg import GradientReceipt, PortGradient
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from conegrad_core.lidar.scan import Scan, SegmentedScan
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.errors import TrainingError
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import Outputs
from conegrad_nodes.port_messages.registry import port_message
from conegrad_training.remote.gradient_messages import gradient_to_msg, gradient_topic, scan_to_msg
from conegrad_training.remote.gradient_service import GRADIENTS
from conegrad_training.systems.system import TrainableSystem

SAMPLES = QoSProfile(depth=5)  # reliable: every sample counts
SPIN = 0.02  # [s] between two looks whether everything has come
NANOSECONDS = 1_000_000_000


class GradientLink:
    """Sends samples to the model nodes one at a time, and gradients back to them.

    A message without reply is sent again: the nodes reply to a repeated one as to the first.
    """

    def __init__(
        self,
        node: Node,
        system: TrainableSystem,
        spin: Callable[[float], None],
        *,
        retry: float = 2.0,
        timeout: float = 30.0,
    ) -> None:
        """Join the graph.

        Args:
            node: of the trainer.
            system: whose networks run in the model nodes.
            spin: serves the node for at most a time [s].
            retry: time after which a message without answer is sent again [s].
            timeout: time after which a node counts as lost [s].
        """
        self._node, self._spin, self._retry, self._timeout = node, spin, retry, timeout
        self._pipeline = system.pipeline
        inputs = system.pipeline.specification.inputs
        self._written = {  # port of each network
            port: stage for stage in system.end_networks for port in system.ports_of([stage])
        }
        self._messages = {
            port: port_message(system.pipeline.ports[port].name)
            for port in (*inputs, *self._written)
        }
        self._inputs = {}
        for port in inputs:
            message = self._messages[port]
            topic = message.topic(port)
            self._inputs[port] = node.create_publisher(message.msgtype, topic, SAMPLES)
        self._gradients = {
            port: node.create_publisher(PortGradient, gradient_topic(port), GRADIENTS)
            for port in self._written
        }
        for port in self._written:
            node.create_subscription(
                self._messages[port].msgtype,
                self._messages[port].topic(port),
                lambda msg, port=port: self._keep(port, msg),
                SAMPLES,
            )
        self._found: dict[tuple[str, int], Any] = {}
        self._stamp_ns = 0
        self._sent: list[Header] = []  # of the samples of this step
        self._receipts: dict[tuple[str, int], GradientReceipt] = {}
        node.create_subscription(GradientReceipt, "gradient_receipts", self._on_receipt, GRADIENTS)

    def outputs(self, samples: Sequence[Sample]) -> Outputs:
        """Values of each port that a network writes; leaves that take a gradient.

        Raises:
            TrainingError: if a node does not answer in time.
        """
        self._found.clear()
        self._sent = []
        found = [self._output(sample) for sample in samples]
        return {port: [of_sample[port] for of_sample in found] for port in self._written}

    def send_gradients(self, outputs: Outputs, step: int, stages: Collection[str]) -> None:
        """Send the gradients of the outputs of :meth:`outputs`, and wait until they are used.

        Args:
            outputs: after the backward pass.
            step: number of the optimizer step.
            stages: whose nodes learn.

        Raises:
            TrainingError: if a node refuses a gradient or does not answer in time.
        """
        for port, stage in self._written.items():
            if stage in stages:
                parts = len(self._sent) * list(self._written.values()).count(stage)
                for header, value in zip(self._sent, outputs[port], strict=True):
                    self._send(port, header, value, step, parts)

    def model_nodes(self) -> dict[str, str]:
        """Stage of each node that writes the port of a network, by the full name of the node."""
        nodes = {
            f"{found.node_namespace.rstrip('/')}/{found.node_name}": stage
            for port, stage in self._written.items()
            for found in self._node.get_publishers_info_by_topic(self._messages[port].topic(port))
        }
        return dict(sorted(nodes.items()))

    def _output(self, sample: Sample) -> dict[str, Any]:
        header = self._next_header()
        self._sent.append(header)
        stamp = stamp_ns_from_msg(header.stamp)
        messages = {port: self._encoded(port, sample, header) for port in self._inputs}

        def missing() -> list[str]:
            return [port for port in self._written if (port, stamp) not in self._found]

        def send() -> None:
            inputs = self._pipeline.specification.stages
            for port in {
                port for m in missing() for port in inputs[self._written[m]].inputs.values()
            }:
                if port in messages:
                    self._inputs[port].publish(messages[port])

        self._until(
            lambda: not missing(),
            send,
            lambda: f"{sample.key}: no answer on {' and '.join(sorted(missing()))}",
        )
        try:
            return {port: self._leaves(port, stamp, sample) for port in self._written}
        except DecodeError as error:
            raise TrainingError(f"{sample.key}: an answer cannot be used: {error}") from error

    def _encoded(self, port: str, sample: Sample, header: Header) -> Any:
        """Message of an input; that of a scan keeps its outer angles bit for bit."""
        value = sample.inputs[port]
        if isinstance(value, Scan):
            return scan_to_msg(value, header)
        return self._messages[port].encode(value, header, {})

    def _leaves(self, port: str, stamp: int, sample: Sample) -> Any:
        """The value of a message, its differentiable tensors as leaves."""
        value = self._messages[port].decode(self._found[port, stamp]).value
        if isinstance(value, SegmentedScan):  # the scan itself is known here, bit for bit
            (name,) = self._pipeline.specification.stages[self._written[port]].inputs.values()
            scan = sample.inputs[name]
            value = value._replace(angles=scan.angles, times=scan.times, motions=scan.motions)
        kind = self._pipeline.ports[port]
        return kind.with_tensors(value, [leaf.requires_grad_() for leaf in kind.tensors(value)])

    def _send(self, port: str, header: Header, value: Any, step: int, parts: int) -> None:
        gradients = [_gradient(leaf) for leaf in self._pipeline.ports[port].tensors(value)]
        msg = gradient_to_msg(port, gradients, header, step, parts)
        key, stage = (port, stamp_ns_from_msg(header.stamp)), self._written[port]
        self._until(
            lambda: key in self._receipts,
            lambda: self._gradients[port].publish(msg),
            lambda: f"step {step}: the node of {stage} gave no receipt for a gradient",
        )
        receipt = self._receipts.pop(key)
        if not receipt.accepted:
            raise TrainingError(f"step {step}: {receipt.node} refused a gradient: {receipt.reason}")

    def _until(
        self, is_done: Callable[[], bool], send: Callable[[], None], problem: Callable[[], str]
    ) -> None:
        """Send, wait, and send again where nothing comes back."""
        now = time.monotonic()
        end, due = now + self._timeout, now
        while not is_done():
            if now >= end:
                raise TrainingError(f"{problem()} within {self._timeout:g} s")
            if now >= due:
                send()
                due = now + self._retry
            self._spin(SPIN)
            now = time.monotonic()

    def _next_header(self) -> Header:
        """A stamp of its own for every sample: the same frame may come again in another step."""
        now = int(self._node.get_clock().now().nanoseconds)
        self._stamp_ns = max(now, self._stamp_ns + 1)
        header = Header()
        header.stamp.sec, header.stamp.nanosec = divmod(self._stamp_ns, NANOSECONDS)
        return header

    def _keep(self, port: str, msg: Any) -> None:
        with self._skipping(port):
            self._found[port, stamp_ns_from_msg(msg.header.stamp)] = msg

    def _on_receipt(self, receipt: GradientReceipt) -> None:
        with self._skipping(receipt.stage):
            self._receipts[receipt.port, stamp_ns_from_msg(receipt.header.stamp)] = receipt

    @contextmanager
    def _skipping(self, source: str) -> Iterator[None]:
        """Log a message that no model node sends; nothing waits for it."""
        try:
            yield
        except DecodeError as error:
            text = f"skipped a message of {source}: {error}"
            self._node.get_logger().warning(text, throttle_duration_sec=1.0)


def _gradient(values: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(values) if values.grad is None else values.grad
