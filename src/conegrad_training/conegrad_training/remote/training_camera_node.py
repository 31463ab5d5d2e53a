"""Camera node in training mode: the detector learns from gradients that come over a topic."""

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.node_base.running import run
from conegrad_training.remote.learning_node import LearningNode


class TrainingCameraNode(LearningNode, CameraNode):
    """The camera node, whose detector learns."""


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_camera_node``."""
    run([TrainingCameraNode])


if __name__ == "__main__":
    main()
