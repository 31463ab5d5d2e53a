"""Stage ``score_calibration``: detections and exposure in, detections with other scores out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from conegrad_core.camera.image import Detections
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.stage import Rates, Stage, Values
from conegrad_core.settings import Config, setting
from exposure.port import Exposure


@dataclass(frozen=True)
class CalibrationConfig(Config):
    """Settings of the calibration."""

    weights: str = setting("", "Path of a .safetensors file; empty: scores stay as they are")


class ScoreCalibration(Stage):
    """Scales and shifts all logits of an image by learned functions of its exposure.

    It learns from the end loss, whose gradient passes on to the detector. Before any training it
    changes nothing.
    """

    inputs: ClassVar[Mapping[str, str]] = {"detections": "Detections", "exposure": "Exposure"}
    outputs: ClassVar[Mapping[str, str]] = {"detections": "Detections"}
    learns = True
    config_class = CalibrationConfig
    rates = Rates(end=1e-2)
    end_loss_terms = frozenset({"colour", "existence"})
    weights_file = "score_calibration.safetensors"
    config: CalibrationConfig

    def __init__(self, config: CalibrationConfig) -> None:
        super().__init__(config)
        self.scale_and_shift = nn.Linear(2, 2)
        nn.init.zeros_(self.scale_and_shift.weight)
        nn.init.zeros_(self.scale_and_shift.bias)
        if config.weights:
            self.load_state_dict(load_file(config.weights))

    def forward(self, inputs: Values, contexts: Sequence[FrameContext]) -> dict[str, list[Any]]:
        """Detections of each image."""
        pairs = zip(inputs["detections"], inputs["exposure"], strict=True)
        return {"detections": [self._calibrated(*pair) for pair in pairs]}

    def _calibrated(self, found: Detections, exposure: Exposure) -> Detections:
        log_scale, shift = self.scale_and_shift(torch.stack(exposure))
        return Detections(found.boxes_xyxy, log_scale.exp() * found.logits + shift)

    def save(self, path: Path) -> None:
        """Write the weights."""
        save_file(self.state_dict(), path)
