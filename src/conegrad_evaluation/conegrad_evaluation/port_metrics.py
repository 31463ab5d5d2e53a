"""Port metrics: how the values of each kind of port are measured against their truth.

A package registers the metric of a kind as an entry point in the group ``conegrad.port_metrics``:
its name is that of the port type, its object a subclass of :class:`PortMetric`. Those of the car
are registered by ``conegrad_evaluation`` itself.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from conegrad_core.camera.image import Detections, TrueBoxes
from conegrad_core.colours.cone_colours import ConeColours
from conegrad_core.cones import Cones, TrueCones
from conegrad_core.crops.matching import NONE, match_crops
from conegrad_core.fusion.selection import select_cones
from conegrad_core.keypoints.keypoints import Keypoints, TrueKeypoints
from conegrad_core.lidar.scan import SegmentedScan
from conegrad_core.pipeline.registry import load_class, registered
from conegrad_evaluation.metrics.beams import BeamCounts, count_beams
from conegrad_evaluation.metrics.box_heights import box_heights
from conegrad_evaluation.metrics.boxes import average_precisions
from conegrad_evaluation.metrics.colour_accuracy import ColourAccuracy
from conegrad_evaluation.metrics.evaluator import Evaluator
from conegrad_evaluation.metrics.keypoint_errors import KeypointErrors
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult

PORT_METRICS = "conegrad.port_metrics"
MIN_EXISTENCE = 0.02  # candidates below do not change the precision-recall curves
MIN_BOX_HEIGHT = 4.0  # lower boxes do not count [px]


class PortResult(NamedTuple):
    """Figures of one port.

    Attributes:
        headline: the figures to compare runs by, by name.
        details: all figures as JSON values.
    """

    headline: dict[str, float]
    details: dict[str, Any]


class PortMetric(ABC):
    """Metric of the values of one port, collected sample by sample.

    Attributes:
        truth_kind: what :meth:`add` compares with: ``cones`` is the truth of a sample
            (:class:`~conegrad_core.cones.TrueCones`), other names are labels of supervised losses
            (``label_kinds`` of a stage).
        input_kinds: kinds of inputs of the stage that wrote the port which :meth:`add` needs: rows
            of keypoints are those of crops, whose places in the image only the crops know.
    """

    truth_kind: ClassVar[str]
    input_kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: EvaluationConfig) -> None:
        """Metric without samples.

        Args:
            config: settings of the evaluation of cones; a metric may ignore them.
        """
        self.config = config

    @abstractmethod
    def add(self, value: Any, truth: Any, *inputs: Any) -> None:
        """Collect one sample.

        Args:
            value: of the port.
            truth: of :attr:`truth_kind`.
            inputs: of :attr:`input_kinds`.

        Raises:
            ValueError: if both do not fit each other.
        """

    @abstractmethod
    def result(self) -> PortResult | None:
        """Figures of the samples so far; None without samples."""


class DetectionsMetric(PortMetric):
    """Average precision of boxes at IoU 0.5, per class and mean (mAP50)."""

    truth_kind = "boxes"

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._detections: list[Detections] = []
        self._truths: list[TrueBoxes] = []

    def add(self, value: Detections, truth: TrueBoxes, *inputs: Any) -> None:
        """Collect the boxes of one image."""
        self._detections.append(value)
        self._truths.append(truth)

    def result(self) -> PortResult | None:
        """``mAP50`` (NaN where no class occurs); in detail by class name."""
        if not self._truths:
            return None
        values = average_precisions(self._detections, self._truths, min_height=MIN_BOX_HEIGHT)
        return PortResult({"mAP50": values["mean"]}, values)


class SegmentedScanMetric(PortMetric):
    """Precision, recall and F1 of beams on cones."""

    truth_kind = "beams"

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._counts: BeamCounts | None = None

    def add(self, value: SegmentedScan, truth: Tensor, *inputs: Any) -> None:
        """Count the beams of one scan; ``truth`` is ``(B,)`` bool."""
        counts = count_beams(value.logits, truth, value.ranges)
        self._counts = counts if self._counts is None else self._counts + counts

    def result(self) -> PortResult | None:
        """``beam_f1``; in detail counts and rates."""
        counts = self._counts
        return None if counts is None else PortResult({"beam_f1": counts.f1}, counts.to_dict())


class KeypointsMetric(PortMetric):
    """Errors of visible keypoints against the height of their cones."""

    truth_kind: ClassVar[str] = "keypoints"
    input_kinds: ClassVar[tuple[str, ...]] = ("Crops",)

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._errors = KeypointErrors()

    def add(self, value: Keypoints, truth: TrueKeypoints, *inputs: Any) -> None:
        """Compare the keypoints of crops that show a standing cone; ``inputs`` are the crops."""
        (crops,) = inputs
        rows = match_crops(crops.windows_xyxy, truth.boxes_xyxy).cpu()
        kept = rows != NONE
        rows, found = rows[kept], Keypoints(*(part.cpu()[kept] for part in value))
        heights = box_heights(truth.boxes_xyxy)[rows]
        self._errors.add(found, truth.positions[rows], truth.visible[rows], heights)

    def result(self) -> PortResult | None:
        """``keypoint_error`` and ``keypoint_error_90``: median and 90 % quantile, as shares."""
        if not len(self._errors):
            return None
        values = self._errors.to_dict()
        headline = {"keypoint_error": values["median"], "keypoint_error_90": values["quantile_90"]}
        return PortResult(headline, values)


class ConeColoursMetric(PortMetric):
    """Accuracy of the colours of crops that show a cone of known colour."""

    truth_kind: ClassVar[str] = "cone_colours"
    input_kinds: ClassVar[tuple[str, ...]] = ("Crops",)

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._accuracy = ColourAccuracy()

    def add(self, value: ConeColours, truth: TrueBoxes, *inputs: Any) -> None:
        """Compare the colours of crops that show a cone; ``inputs`` are the crops."""
        (crops,) = inputs
        rows = match_crops(crops.windows_xyxy, truth.boxes_xyxy).cpu()
        kept = rows != NONE
        rows = rows[kept]
        heights = box_heights(truth.boxes_xyxy)[rows]
        self._accuracy.add(value.logits.cpu()[kept], truth.classes[rows], heights)

    def result(self) -> PortResult | None:
        """``colour_accuracy``; in detail with counts, by class and by height of the box."""
        if not len(self._accuracy):
            return None
        values = self._accuracy.to_dict()
        return PortResult({"colour_accuracy": values["accuracy"]}, values)


class ConesMetric(PortMetric):
    """Metrics of cones on the ground: matches, positions, colours and probabilities.

    Candidates are selected as in the fusion node before they are matched, with a low existence
    threshold, because the metrics hold for all thresholds.
    """

    truth_kind = "cones"

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._evaluator = Evaluator(config)

    @property
    def frames(self) -> list[FrameResult]:
        """Matched cones of each sample so far."""
        return self._evaluator.frames

    def add(self, value: Cones, truth: TrueCones, *inputs: Any) -> None:
        """Match the cones of one sample."""
        self._evaluator.add(select_cones(value, MIN_EXISTENCE), truth)

    def result(self) -> PortResult | None:
        """F1 with and without colour, precision, recall, RMSE [m]; in detail as for a bag."""
        if not self._evaluator.frames:
            return None
        evaluation = self._evaluator.result()
        headline = {
            "f1_colour": evaluation.f1_colour,
            "f1": evaluation.total.counts.f1,
            "precision": evaluation.total.counts.precision,
            "recall": evaluation.recall,
            "rmse": evaluation.rmse,
        }
        return PortResult(headline, evaluation.to_dict())


def port_metric(kind: str) -> type[PortMetric] | None:
    """The metric of a kind of port; None if no package registers one.

    Raises:
        PipelineError: if two packages register one, if it cannot be imported (names the package),
            or if it is not a subclass of :class:`PortMetric`.
    """
    if kind not in registered(PORT_METRICS):
        return None
    return load_class(PORT_METRICS, kind, PortMetric)  # type: ignore[type-abstract]
