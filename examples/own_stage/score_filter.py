"""A stage of one's own: keeps the detections whose score is high enough.

The entry point in pyproject.toml registers it under the name that pipeline files use. No file of
ConeGrad changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from conegrad_core.camera.image import Detections
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Stage, Values
from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class ScoreFilterConfig(Config):
    """Settings of the filter."""

    min_score: float = setting(0.25, "Lowest score of a detection that is kept", low=0.0, high=1.0)


class ScoreFilter(Stage):
    """Detections in, those of them with a score of at least ``min_score`` out."""

    inputs: ClassVar[Mapping[str, str]] = {"candidates": "Detections"}
    outputs: ClassVar[Mapping[str, str]] = {"detections": "Detections"}
    config_class = ScoreFilterConfig
    config: ScoreFilterConfig

    def __init__(self, config: ScoreFilterConfig) -> None:
        super().__init__(config)

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Filter the detections of each sample; gradients of those that are kept pass."""
        return {"detections": [self._keep(found) for found in inputs["candidates"]]}

    def _keep(self, found: Detections) -> Detections:
        kept = found.logits.sigmoid().amax(dim=-1) >= self.config.min_score
        return Detections(found.boxes_xyxy[kept], found.logits[kept])
