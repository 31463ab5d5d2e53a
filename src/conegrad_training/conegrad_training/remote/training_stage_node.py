"""Stage node in training mode: any stage learns from gradients that come over topics."""

from conegrad_nodes.node_base.running import run
from conegrad_nodes.stage_node import StageNode
from conegrad_training.remote.learning_node import LearningNode


class TrainingStageNode(LearningNode, StageNode):
    """A stage node whose stage learns; the parameter ``stage`` names it."""


def main() -> None:
    """Entry point of ``ros2 run conegrad_training training_stage_node``."""
    run([TrainingStageNode])


if __name__ == "__main__":
    main()
