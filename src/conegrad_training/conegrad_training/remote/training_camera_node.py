"""Camera node in training mode: the detector learns from gradients that come over a topic."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import DetectorConfig
from conegrad_core.camera.image import Detections, RgbImage
from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.worker import Arrived
from conegrad_training.remote.gradient_messages import DETECTION_GRADIENTS
from conegrad_training.remote.model_learning import ModelLearning
from conegrad_training.systems.system import CAMERA, FILES, architecture_of


class TrainingCameraNode(CameraNode):
    """The camera node, which also keeps the graph of each output and learns.

    Besides what the camera node does it subscribes to ``detection_gradients``
    (conegrad_msgs/DetectionGradient) and publishes ``gradient_receipts``.
    Parameters: those of the camera node, and those of :class:`ModelLearning`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._learning = ModelLearning(self, DETECTION_GRADIENTS, self._save)

    def detector_config(self) -> DetectorConfig:
        """With the only engine that has gradients."""
        return dataclasses.replace(super().detector_config(), engine="torch")

    def load(self) -> None:
        """Load the detector and serve its gradients."""
        super().load()
        detector = self._loaded()
        detector.to(memory_format=torch.channels_last)  # as in the trainer
        self._learning.open(detector)

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        self._learning.close()
        super().release()

    def warm_up(self) -> None:
        """Start the thread of the detector."""
        with self._learning.warming_up(self._loaded()):
            super().warm_up()

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the image."""
        self._learning.begin(arrived)
        super().process(arrived)

    def _detect(self, image: RgbImage) -> Detections:
        detector = self._loaded()
        return self._learning.forward(lambda: detector([image])[0], tuple)

    def _save(self) -> Path:
        config, path = self._detector_config, self._learning.mode.file(FILES[CAMERA])
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
