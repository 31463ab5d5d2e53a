"""LiDAR node in training mode: the segmenter learns from gradients that come over a topic."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from conegrad_core.lidar.segmenter import ScanSegmenter
from conegrad_core.lidar.stage import SegmenterStage
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.worker import Arrived
from conegrad_training.remote.gradient_messages import SEGMENTATION_GRADIENTS
from conegrad_training.remote.model_learning import ModelLearning
from conegrad_training.systems.system import FILES, LIDAR


class TrainingLidarNode(LidarNode):
    """The LiDAR node, which also keeps the graph of each output and learns.

    Besides what the LiDAR node does it subscribes to ``segmentation_gradients``
    (conegrad_msgs/SegmentationGradient) and publishes ``gradient_receipts``.
    Parameters: those of the LiDAR node, and those of :class:`ModelLearning`.
    """

    trainable = True

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._learning = ModelLearning(self, SEGMENTATION_GRADIENTS, self._save)

    def load(self) -> None:
        """Load the segmenter and serve its gradients."""
        super().load()
        self._learning.open(self._segmenter())

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        self._learning.close()
        super().release()

    def warm_up(self) -> None:
        """Start the thread of the segmenter."""
        with self._learning.warming_up(self._segmenter()):
            super().warm_up()

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the scan."""
        self._learning.begin(arrived)
        super().process(arrived)

    def run_stage(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As on the car, keeping the graph of the logits."""
        return self._learning.forward(
            lambda: self.hosted(values), lambda found: (found["segmentation"].logits,)
        )

    def _segmenter(self) -> ScanSegmenter:
        return cast(SegmenterStage, self.hosted.stage).module

    def _save(self) -> Path:
        path = self._learning.mode.file(FILES[LIDAR])
        self.hosted.stage.save(path)
        return path


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_lidar_node``."""
    run([TrainingLidarNode])


if __name__ == "__main__":
    main()
