"""What turns a node with a stage into one whose stage learns from gradients over topics."""

from collections.abc import Mapping
from typing import Any

from conegrad_nodes.node_base.sensor_node import SensorNode
from conegrad_nodes.node_base.worker import Arrived
from conegrad_training.remote.model_learning import ModelLearning


class LearningNode(SensorNode):
    """Keeps the graph of each output of the stage, and goes backward when a gradient comes.

    To be named before the class of a node, as in ``class TrainingNode(LearningNode, StageNode)``.

    Besides what that node does it subscribes to ``PORT/gradients`` (conegrad_msgs/PortGradient) of
    each port of the stage, publishes ``gradient_receipts`` and serves ``~/save_weights``.
    Parameters: those of that node, and those of :class:`ModelLearning`.
    """

    trainable = True

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._learning = ModelLearning(self, self.hosted.name)

    def load(self) -> None:
        """Load the stage and serve its gradients."""
        super().load()
        graph, name = self.hosted.graph, self.hosted.name
        written = self.hosted.part.stages[name].outputs.values()
        self._learning.open(self.hosted.stage, {port: graph.ports[port] for port in written})

    def release(self) -> None:
        """Drop everything that :meth:`load` made."""
        self._learning.close()
        super().release()

    def warm_up(self) -> None:
        """Start the thread of the stage."""
        with self._learning.warming_up(self.hosted.stage):
            super().warm_up()  # type: ignore[safe-super]

    def process(self, arrived: Arrived) -> None:
        """As on the car, noting the stamp of the input."""
        self._learning.begin(arrived)
        super().process(arrived)  # type: ignore[safe-super]

    def run_stages(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """As on the car, keeping the graph of the outputs."""
        return self._learning.forward(lambda: self.hosted(values))
