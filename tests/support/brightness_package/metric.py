"""Metric of brightness: its mean error."""

from torch import Tensor

from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import PortMetric, PortResult


class BrightnessMetric(PortMetric):
    """Mean absolute error of the brightness."""

    truth_kind = "brightness"

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._errors: list[float] = []

    def add(self, value: Tensor, truth: Tensor) -> None:
        """Collect one image."""
        self._errors.append(float((value - truth).abs()))

    def result(self) -> PortResult | None:
        """The mean error."""
        if not self._errors:
            return None
        error = sum(self._errors) / len(self._errors)
        return PortResult({"brightness_error": error}, {"count": len(self._errors)})
