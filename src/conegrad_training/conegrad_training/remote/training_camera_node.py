"""Camera node in training mode: the detector learns from gradients that come over a topic."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.worker import Arrived
from conegrad_training.remote.gradient_messages import DETECTION_GRADIENTS
from conegrad_training.remote.model_learning import ModelLearning
from conegrad_training.systems.system import CAMERA, FILES


class TrainingCameraNode(CameraNode):
    """The camera node, which also keeps the graph of each output and learns.

    Besides what the camera node does it subscribes to ``detection_gradients``
    (conegrad_msgs/DetectionGradient) and publishes ``gradient_receipts``.
    Parameters: those of the camera node, and those of :class:`ModelLearning`.
    """

    trainable = True

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._learning = ModelLearning(self, DETECTION_GRADIENTS, self._save)

    def load(self) -> None:
        """Load the detector and serve its gradients."""
        super().load()
        self._learning.open(self._detector())

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        self._learning.close()
        super().release()

    def warm_up(self) -> None:
        """Start the thread of the detector."""
        with self._learning.warming_up(self._detector()):
            super().warm_up()

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the image."""
        self._learning.begin(arrived)
        super().process(arrived)

    def run_stage(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As on the car, keeping the graph of the detections."""
        return self._learning.forward(
            lambda: self.hosted(values), lambda found: tuple(found["detections"])
        )

    def _save(self) -> Path:
        path = self._learning.mode.file(FILES[CAMERA])
        self.hosted.stage.save(path)
        return path


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_camera_node``."""
    run([TrainingCameraNode])


if __name__ == "__main__":
    main()
