"""Camera node in training mode: the detector learns from gradients that come over a topic."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch
from conegrad_msgs.msg import DetectionGradient

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import Detector
from conegrad_core.camera.image import Detections, RgbImage
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.decode import stamp_ns_from_msg
from conegrad_nodes.parameters import declare_config
from conegrad_nodes.running import run
from conegrad_nodes.worker import Arrived
from conegrad_training.gradient_exchange import ExchangeConfig, GradientExchange
from conegrad_training.gradient_messages import detection_gradient_from_msg
from conegrad_training.gradient_service import GradientService
from conegrad_training.optimizers import OptimizerConfig, make_part_optimizer
from conegrad_training.system import CAMERA, FILES, architecture_of
from conegrad_training.training_mode import TrainingModeConfig, set_training


class TrainingCameraNode(CameraNode):
    """The camera node, which also keeps the graph of each output and learns.

    Besides what the camera node does it subscribes to ``detection_gradients``
    (conegrad_msgs/DetectionGradient) and publishes ``gradient_receipts``.
    Parameters: those of the camera node; ``optimizer.``, ``exchange.`` and ``training.`` with the
    fields of OptimizerConfig, ExchangeConfig and TrainingModeConfig.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._optimizer_config = declare_config(self, OptimizerConfig, "optimizer")
        self._exchange_config = declare_config(self, ExchangeConfig, "exchange")
        self._mode = declare_config(self, TrainingModeConfig, "training")
        # The only engine with gradients.
        self._detector_config = dataclasses.replace(self._detector_config, engine="torch")
        self._service: GradientService | None = None
        self._stamp_ns: int | None = None  # of the image in the detector; None: a warm-up

    def load(self) -> None:
        """Load the detector, its optimizer, and serve gradients."""
        super().load()
        detector = self._loaded()
        detector.to(memory_format=torch.channels_last)  # as in the trainer
        set_training(detector, self._mode)
        self._exchange = GradientExchange(
            detector,
            make_part_optimizer(CAMERA, detector, self._optimizer_config),
            self._exchange_config,
            max_grad_norm=self._optimizer_config.max_grad_norm,
        )
        self._service = GradientService(
            self,
            self._exchange,
            DetectionGradient,
            "detection_gradients",
            decode=detection_gradient_from_msg,
            save=self._save,
        )

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        if self._service is not None:
            self._service.close()
            self._service = None
        super().release()

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the image."""
        self._stamp_ns = stamp_ns_from_msg(arrived.msg.header.stamp)
        super().process(arrived)

    def _detect(self, image: RgbImage) -> Detections:
        detector = self._loaded()
        if self._stamp_ns is None:
            # Not inference mode: the head keeps tensors of its first run for those that learn.
            with torch.no_grad():
                return detector.detect(image)
        with self._exchange.lock:
            (found,) = detector.detect_batch([image])
            self._exchange.remember(self._stamp_ns, tuple(found), time.monotonic())
        return found

    def warm_up(self) -> None:
        """Start the thread of the detector; its first run must not change the statistics."""
        detector = self._loaded()
        detector.eval()
        self._stamp_ns = None
        super().warm_up()
        set_training(detector, self._mode)

    def _loaded(self) -> Detector:
        if self._detector is None:
            raise RuntimeError("the detector runs before it is loaded")
        return self._detector

    def _save(self) -> Path:
        config, path = self._detector_config, self._mode.file(FILES[CAMERA])
        save_network(
            self._loaded().engine.network,  # type: ignore[arg-type]
            path,
            architecture=architecture_of(config.weights),
            input_size=(config.input_width, config.input_height),
            half=False,
        )
        return path


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_camera_node``."""
    run([TrainingCameraNode])


if __name__ == "__main__":
    main()
