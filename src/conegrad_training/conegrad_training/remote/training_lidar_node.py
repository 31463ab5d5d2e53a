"""LiDAR node in training mode: the segmenter learns from gradients that come over a topic."""

from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.node_base.running import run
from conegrad_training.remote.learning_node import LearningNode


class TrainingLidarNode(LearningNode, LidarNode):
    """The LiDAR node, whose segmenter learns."""


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_lidar_node``."""
    run([TrainingLidarNode])


if __name__ == "__main__":
    main()
