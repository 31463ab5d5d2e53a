"""Truths of ports: what a stage without fault would write, given what it reads.

A package registers the truth of a kind as an entry point in the group ``conegrad.port_truths``:
its name is that of the port type, its object a subclass of :class:`PortTruth`. Those of the car are
registered by ``conegrad_evaluation`` itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.registry import load_class, registered
from conegrad_evaluation.port_truths.scene import TrueScene

PORT_TRUTHS = "conegrad.port_truths"


class PortCounts(NamedTuple):
    """How much of a value is right, as counts that add up over frames.

    Attributes:
        right: parts that are right.
        made: parts that the stage made.
        true: parts that there are.
    """

    right: float
    made: float
    true: float

    @property
    def quality(self) -> float:
        """Harmonic mean of precision and recall; NaN without any part."""
        total = self.made + self.true
        return 2 * self.right / total if total else float("nan")


class PortTruth(ABC):
    """The perfect value of one kind of port."""

    @abstractmethod
    def perfect(
        self, scene: TrueScene, inputs: Mapping[str, Any], value: Any, context: FrameContext
    ) -> Any:
        """What a stage without fault would make of its inputs.

        A port whose rows belong to those of another port, such as the keypoints of detections,
        keeps these rows: a fault of the other stage stays the fault of that stage.

        Args:
            scene: the frame as it was.
            inputs: of the stage that writes the port, by kind of port.
            value: what the stage makes of these inputs.
            context: calibration and motion as the stage is given them.
        """

    def count(self, scene: TrueScene, value: Any) -> PortCounts | None:
        """How much of a value is right by itself, whatever the other stages make of it.

        Args:
            scene: the frame as it was.
            value: of the port.

        Returns:
            None where a kind does not say.
        """
        return None


def port_truth(kind: str) -> type[PortTruth] | None:
    """The truth of a kind of port; None if no package registers one.

    Raises:
        PipelineError: if two packages register one, if it cannot be imported (names the package),
            or if it is not a subclass of :class:`PortTruth`.
    """
    if kind not in registered(PORT_TRUTHS):
        return None
    return load_class(PORT_TRUTHS, kind, PortTruth)  # type: ignore[type-abstract]
