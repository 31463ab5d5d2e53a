"""The trainer's side of gradients over topics: samples out, outputs in, gradients out."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from conegrad_msgs.msg import (
    ConeDetectionArray,
    GradientReceipt,
    ScanSegmentation,
)
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, LaserScan
from std_msgs.msg import Header

from conegrad_core.camera.image import Detections
from conegrad_data.decode import (
    DecodeError,
    detections_from_msg,
    segmentation_from_msg,
    stamp_ns_from_msg,
)
from conegrad_data.errors import TrainingError
from conegrad_nodes.encode import image_to_msg
from conegrad_training.data.sample import Sample
from conegrad_training.remote.gradient_messages import (
    DETECTION_GRADIENTS,
    SEGMENTATION_GRADIENTS,
    detection_gradient_to_msg,
    scan_to_msg,
    segmentation_gradient_to_msg,
)
from conegrad_training.remote.gradient_service import GRADIENTS
from conegrad_training.systems.system import CAMERA, LIDAR, PartOutputs

SAMPLES = QoSProfile(depth=5)  # reliable: every sample counts
SPIN = 0.02  # [s] between two looks whether everything has come
NANOSECONDS = 1_000_000_000


class GradientLink:
    """Sends samples to the model nodes one at a time, and gradients back to them.

    What gets no answer is sent again: the nodes answer a repeated message as the first one.
    """

    def __init__(
        self,
        node: Node,
        spin: Callable[[float], None],
        *,
        retry: float = 2.0,
        timeout: float = 30.0,
    ) -> None:
        """Join the graph.

        Args:
            node: of the trainer.
            spin: serves the node for at most a time [s].
            retry: time after which a message without answer is sent again [s].
            timeout: time after which a node counts as lost [s].
        """
        self._node, self._spin, self._retry, self._timeout = node, spin, retry, timeout
        self._images = node.create_publisher(Image, "image_raw", SAMPLES)
        self._scans = node.create_publisher(LaserScan, "scan", SAMPLES)
        self._gradients = {
            topic.part: node.create_publisher(topic.msgtype, topic.name, GRADIENTS)
            for topic in (DETECTION_GRADIENTS, SEGMENTATION_GRADIENTS)
        }
        self._found: dict[tuple[str, int], Any] = {}
        self._stamp_ns = 0
        self._sent: list[Header] = []  # of the samples of this step
        node.create_subscription(
            ConeDetectionArray, "detections", lambda msg: self._keep(CAMERA, msg), SAMPLES
        )
        node.create_subscription(
            ScanSegmentation, "segmentation", lambda msg: self._keep(LIDAR, msg), SAMPLES
        )
        self._receipts: dict[tuple[str, int], GradientReceipt] = {}
        node.create_subscription(GradientReceipt, "gradient_receipts", self._on_receipt, GRADIENTS)

    def outputs(self, samples: Sequence[Sample]) -> list[PartOutputs]:
        """What the nodes say about each sample; leaves that take a gradient.

        Raises:
            TrainingError: if a node does not answer in time.
        """
        self._found.clear()
        self._sent = []
        return [self._output(sample) for sample in samples]

    def send_gradients(
        self, outputs: Sequence[PartOutputs], step: int, parts: Collection[str]
    ) -> None:
        """Send the gradients of the outputs of :meth:`outputs`, and wait until they are used.

        Args:
            outputs: after the backward pass.
            step: number of the optimizer step.
            parts: whose nodes learn.

        Raises:
            TrainingError: if a node refuses a gradient or does not answer in time.
        """
        for part in (CAMERA, LIDAR):
            if part in parts:
                for header, output in zip(self._sent, outputs, strict=True):
                    self._send(part, header, output, step, len(outputs))

    def _output(self, sample: Sample) -> PartOutputs:
        header = self._next_header()
        self._sent.append(header)
        stamp = stamp_ns_from_msg(header.stamp)
        image, scan = image_to_msg(sample.image, header), scan_to_msg(sample.scan, header)
        wanted = {(CAMERA, stamp): self._images, (LIDAR, stamp): self._scans}
        messages = {(CAMERA, stamp): image, (LIDAR, stamp): scan}

        def send() -> None:
            for key in wanted.keys() - self._found.keys():
                wanted[key].publish(messages[key])

        self._until(
            lambda: wanted.keys() <= self._found.keys(),
            send,
            lambda: f"{sample.key}: no answer on {_topics(wanted.keys() - self._found.keys())}",
        )
        try:
            detections = detections_from_msg(self._found[CAMERA, stamp])
            segmented = segmentation_from_msg(self._found[LIDAR, stamp])
        except DecodeError as error:
            raise TrainingError(f"{sample.key}: an answer cannot be used: {error}") from error
        return PartOutputs(
            Detections(*(values.requires_grad_() for values in detections)),
            # The scan itself is known here, bit for bit.
            segmented._replace(
                angles=sample.scan.angles,
                logits=segmented.logits.requires_grad_(),
                times=sample.scan.times,
                motions=sample.scan.motions,
            ),
        )

    def _send(self, part: str, header: Header, output: PartOutputs, step: int, count: int) -> None:
        msg = _gradient_msg(part, header, output, step, count)
        key = (part, stamp_ns_from_msg(header.stamp))
        self._until(
            lambda: key in self._receipts,
            lambda: self._gradients[part].publish(msg),
            lambda: f"step {step}: the {part} node gave no receipt for a gradient",
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

    def _keep(self, part: str, msg: Any) -> None:
        with self._skipping(part):
            self._found[part, stamp_ns_from_msg(msg.header.stamp)] = msg

    def _on_receipt(self, receipt: GradientReceipt) -> None:
        part = CAMERA if "camera" in receipt.node.rpartition("/")[2] else LIDAR
        with self._skipping(part):
            self._receipts[part, stamp_ns_from_msg(receipt.header.stamp)] = receipt

    @contextmanager
    def _skipping(self, part: str) -> Iterator[None]:
        """Log a message that no model node sends; it is no answer to anything."""
        try:
            yield
        except DecodeError as error:
            text = f"skipped a message of the {part} node: {error}"
            self._node.get_logger().warning(text, throttle_duration_sec=1.0)


def _gradient_msg(part: str, header: Header, output: PartOutputs, step: int, count: int) -> Any:
    if part == LIDAR:
        gradient = _gradient(output.segmented.logits)
        return segmentation_gradient_to_msg(gradient, header, step, count)
    detections = Detections(*map(_gradient, output.detections))
    return detection_gradient_to_msg(detections, header, step, count)


def _gradient(values: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(values) if values.grad is None else values.grad


def _topics(missing: Collection[tuple[str, int]]) -> str:
    names = {CAMERA: "detections", LIDAR: "segmentation"}
    return " and ".join(sorted(names[part] for part, _ in missing))
